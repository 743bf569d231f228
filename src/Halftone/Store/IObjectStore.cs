namespace Halftone.Store;

/// <param name="Key">As it was put.</param>
/// <param name="ModifiedAt">When it was put, by the store's clock.</param>
internal readonly record struct StoredObject(string Key, DateTimeOffset ModifiedAt);

/// <summary>Keeps whole objects by key. An object is there completely or not at all.</summary>
internal interface IObjectStore
{
    /// <summary>Stores an object, replacing one of the same key.</summary>
    Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken);

    /// <summary>Stores what <paramref name="write"/> writes, flushed to disk, when it returns; nothing when it throws.</summary>
    Task<T> PutAsync<T>(string key, string contentType, Func<Stream, Task<T>> write, CancellationToken cancellationToken);

    /// <summary>The object's bytes, seekable, or null when there is none.</summary>
    Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes an object; nothing happens when there is none.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Length in bytes, or null when there is none.</summary>
    Task<long?> LengthAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes everything under a request's prefix.</summary>
    Task DeleteAllAsync(Guid requestId, CancellationToken cancellationToken);

    /// <summary>The requests that objects begin with, in no order.</summary>
    IAsyncEnumerable<Guid> RequestsAsync(CancellationToken cancellationToken);

    /// <summary>Everything under a request's prefix, in no order; what a crash left half written too.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(Guid requestId, CancellationToken cancellationToken);

    /// <summary>Puts everything stored so far on disk.</summary>
    Task FlushAsync(CancellationToken cancellationToken);

    /// <summary>Where anybody can read the object, or null where this server hands it out itself.</summary>
    string? PublicUrlOf(string key);
}
