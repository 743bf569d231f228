namespace Halftone.Store;

/// <param name="Key">The key of the object.</param>
/// <param name="ModifiedAt">When it was put, by the store's clock.</param>
internal readonly record struct StoredObject(string Key, DateTimeOffset ModifiedAt);

/// <summary>Stores whole objects by key. An object exists completely or not at all.</summary>
internal interface IObjectStore
{
    /// <summary>Stores an object, replacing one with the same key.</summary>
    /// <exception cref="StoreRefusedException">The store will never accept it.</exception>
    Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken);

    /// <summary>Stores the data that <paramref name="write"/> writes; it is flushed to disk when this returns, and nothing is stored if it throws.</summary>
    Task<T> PutAsync<T>(string key, string contentType, Func<Stream, Task<T>> write, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the bytes of one object under another key as well; afterwards the two are independent. It counts as stored now, and is on disk after <see cref="FlushAsync"/>, like an object that was put.
    /// </summary>
    /// <param name="from">The object to copy.</param>
    /// <param name="to">A fresh key with the same extension.</param>
    /// <param name="length">Its expected length in bytes.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False if there is no such object, or not of that length: nothing was stored.</returns>
    Task<bool> CopyAsync(string from, string to, long length, CancellationToken cancellationToken);

    /// <summary>The object's bytes, seekable, or null if there is none.</summary>
    Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes an object; has no effect if there is none.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Length in bytes, or null if there is none.</summary>
    Task<long?> LengthAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes everything under a request's prefix.</summary>
    Task DeleteAllAsync(Guid requestId, CancellationToken cancellationToken);

    /// <summary>IDs of the requests that have objects, in no particular order.</summary>
    IAsyncEnumerable<Guid> RequestsAsync(CancellationToken cancellationToken);

    /// <summary>Everything under a request's prefix, in no particular order, including partial files left by a crash.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(Guid requestId, CancellationToken cancellationToken);

    /// <summary>Flushes everything stored so far to disk.</summary>
    Task FlushAsync(CancellationToken cancellationToken);

    /// <summary>URL at which anyone can read the object, or null if this server serves it itself.</summary>
    string? PublicUrlOf(string key);
}
