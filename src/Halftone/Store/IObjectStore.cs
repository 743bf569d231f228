namespace Halftone.Store;

/// <param name="Key">As it was put.</param>
/// <param name="ModifiedAt">When it was put, by the store's clock.</param>
internal readonly record struct StoredObject(string Key, DateTimeOffset ModifiedAt);

/// <summary>Keeps whole objects by key. An object is there completely or not at all.</summary>
internal interface IObjectStore
{
    /// <summary>Stores an object, replacing one of the same key.</summary>
    /// <exception cref="StoreRefusedException">The store will never take it.</exception>
    Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken);

    /// <summary>Stores what <paramref name="write"/> writes, flushed to disk, when it returns; nothing when it throws.</summary>
    Task<T> PutAsync<T>(string key, string contentType, Func<Stream, Task<T>> write, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the bytes of one object under another key as well; from then on neither knows of the other. It counts as stored now, and it is on disk after
    /// <see cref="FlushAsync"/>, as one that was put.
    /// </summary>
    /// <param name="from">What is copied.</param>
    /// <param name="to">A fresh key with the same extension.</param>
    /// <param name="length">Bytes that there must be.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False where there is no such object, or not of that length: nothing was stored.</returns>
    Task<bool> CopyAsync(string from, string to, long length, CancellationToken cancellationToken);

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
