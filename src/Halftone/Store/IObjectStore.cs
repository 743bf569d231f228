namespace Halftone.Store;

/// <summary>Keeps whole objects by key. An object exists completely or not at all.</summary>
internal interface IObjectStore
{

    /// <summary>
    /// True for a bucket or an account. Every machine reaches it, others may keep objects there too, and an object is on disk as soon as it
    /// is put. False for a folder: other machines may not see it, it is ours alone, and a crash can leave half an object in it.
    /// </summary>
    bool IsRemote { get; }

    /// <summary>Stores an object, replacing one with the same key.</summary>
    /// <exception cref="StoreRefusedException">The store will never accept it.</exception>
    Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken);

    /// <summary>The object's bytes, seekable; null if there is none.</summary>
    Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Length in bytes; null if there is no such object.</summary>
    Task<long?> LengthAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes an object, if there is one.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Removes everything under a request's prefix.</summary>
    Task DeleteAllAsync(Guid requestId, CancellationToken cancellationToken);
}

/// <summary>A store whose objects are listed by the sweeps that remove what no row names.</summary>
internal interface IListedStore : IObjectStore
{
    /// <summary>The requests that have objects, in no order.</summary>
    IAsyncEnumerable<Guid> RequestsAsync(CancellationToken cancellationToken);

    /// <summary>Everything under a request's prefix, in no particular order, including partial files left by a crash.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(Guid requestId, CancellationToken cancellationToken);
}

/// <summary>The store of uploads and result files: written as streams and read back.</summary>
internal interface IFileStore : IListedStore
{
    /// <summary>Stores what <paramref name="write"/> writes. It is on disk when this returns; nothing is stored if it throws.</summary>
    Task<T> PutAsync<T>(string key, string contentType, Func<Stream, Task<T>> write, CancellationToken cancellationToken);
}

/// <summary>The store of output images: put as a whole, copied for later requests, and read by anyone with the URL.</summary>
internal interface IImageStore : IListedStore
{
    /// <summary>
    /// Stores the bytes of one object under another key too; from then on they are independent. The copy counts as stored now, and is on
    /// disk after <see cref="FlushAsync"/>, like one that was put.
    /// </summary>
    /// <param name="from">The key of the original.</param>
    /// <param name="to">A fresh key with the same extension.</param>
    /// <param name="length">The bytes that the original must have.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False if there is no such object, or one of another length: nothing was stored.</returns>
    Task<bool> CopyAsync(string from, string to, long length, CancellationToken cancellationToken);

    /// <summary>Flushes everything stored so far to disk.</summary>
    Task FlushAsync(CancellationToken cancellationToken);

    /// <summary>URL at which anyone can read the object; null if this server serves it itself.</summary>
    string? PublicUrlOf(string key);
}

/// <param name="Key">The key it was put under.</param>
/// <param name="ModifiedAt">When it was put, by the store's clock.</param>
internal readonly record struct StoredObject(string Key, DateTimeOffset ModifiedAt);
