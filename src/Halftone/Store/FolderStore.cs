using System.Collections.Concurrent;
using System.Globalization;
using Halftone.Io;
using Halftone.Model;

namespace Halftone.Store;

/// <summary>
/// Objects as files under one folder: written beside their final name, then renamed, so a reader or a crash never sees half a
/// file. A file outlives the process at once; it outlives a power loss after <see cref="FlushAsync"/> (images, once per request)
/// or when it is put as a stream (uploads and results).
/// </summary>
internal sealed class FolderStore(string root) : IObjectStore
{
    /// <summary>Files being written end in this; what a crash leaves of them is swept.</summary>
    public const string PartialExtension = ".part";

    private readonly string root = Path.GetFullPath(root);
    private readonly ConcurrentDictionary<string, bool> folders = new(StringComparer.Ordinal);

    /// <summary>Held where a folder is removed for being empty, and where it is made again for an object.</summary>
    private readonly Lock removing = new();

    public async Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        var partial = path + PartialExtension;
        MakeFolder(path);
        try
        {
            using (var file = OpenPartial(path, partial, body.Length))
            {
                // A plain write: a page-cache copy of some 100 KB is cheaper than handing it to another thread.
                RandomAccess.Write(file, body.Span, 0);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            Discard(partial);
            throw;
        }

        await Task.CompletedTask;
    }

    public async Task<T> PutAsync<T>(string key, string contentType, Func<Stream, Task<T>> write, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        var partial = path + PartialExtension;
        MakeFolder(path);
        try
        {
            T result;
            await using (var file = new FileStream(OpenPartial(path, partial, 0), FileAccess.Write, 65_536))
            {
                result = await write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: true);
            DiskSync.Folder(Path.GetDirectoryName(path)!);
            return result;
        }
        catch
        {
            Discard(partial);
            throw;
        }
    }

    public async Task<bool> CopyAsync(string from, string to, long length, CancellationToken cancellationToken)
    {
        var (source, path) = (PathOf(from), PathOf(to));
        MakeFolder(path);
        var result = HardLink.Make(source, path);
        if (result == LinkResult.Missing && File.Exists(source))
        {
            // The folder went since this process made it.
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            result = HardLink.Make(source, path);
        }

        if (result == LinkResult.Refused)
        {
            return await CopyBytesAsync(source, to, length, cancellationToken);
        }

        if (result == LinkResult.Made && new FileInfo(path).Length != length)
        {
            // What a power failure left of a file that was not flushed.
            File.Delete(path);
            return false;
        }

        return result == LinkResult.Made;
    }

    public Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<Stream?>(new FileStream(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 65_536, FileOptions.SequentialScan));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        try
        {
            File.Delete(path);
            RemoveIfEmpty(Path.GetDirectoryName(path)!);
        }
        catch (DirectoryNotFoundException)
        {
            // The request was deleted meanwhile.
        }

        return Task.CompletedTask;
    }

    public Task<long?> LengthAsync(string key, CancellationToken cancellationToken)
    {
        var file = new FileInfo(PathOf(key));
        return Task.FromResult<long?>(file.Exists ? file.Length : null);
    }

    public Task DeleteAllAsync(Guid requestId, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(root, requestId.ToString("D", CultureInfo.InvariantCulture));
        folders.TryRemove(folder, out _);
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Deleted before: the message came twice.
        }

        return Task.CompletedTask;
    }

    public IAsyncEnumerable<Guid> RequestsAsync(CancellationToken cancellationToken) =>
        (Directory.Exists(root) ? Directory.EnumerateDirectories(root) : [])
            .Select(folder => Guid.TryParseExact(Path.GetFileName(folder), "D", out var requestId) ? requestId : (Guid?)null)
            .OfType<Guid>()
            .ToAsyncEnumerable();

    public IAsyncEnumerable<StoredObject> ListAsync(Guid requestId, CancellationToken cancellationToken)
    {
        var folder = new DirectoryInfo(Path.Combine(root, requestId.ToString("D", CultureInfo.InvariantCulture)));
        return (folder.Exists ? folder.EnumerateFiles() : [])
            .Select(file => new StoredObject(ObjectKey.Prefix(requestId) + file.Name, new DateTimeOffset(file.LastWriteTimeUtc)))
            .ToAsyncEnumerable();
    }

    public Task FlushAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(root);
        DiskSync.FileSystem(root);
        return Task.CompletedTask;
    }

    public string? PublicUrlOf(string key) => null;

    private async Task<bool> CopyBytesAsync(string source, string to, long length, CancellationToken cancellationToken)
    {
        byte[] body;
        try
        {
            body = await File.ReadAllBytesAsync(source, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Gone, or not to be read: no reason to wait for it, for it can be made anew.
            return false;
        }

        if (body.Length != length)
        {
            return false;
        }

        await PutAsync(to, body, FormatName.ContentTypeOf(to), cancellationToken);
        return true;
    }

    private Microsoft.Win32.SafeHandles.SafeFileHandle OpenPartial(string path, string partial, long length)
    {
        try
        {
            return Open();
        }
        catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException)
        {
            // Removed since this process made it, with the request or with the last object in it: a run that began before still ends in an object, and
            // cleans up after itself.
            lock (removing)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                return Open();
            }
        }

        Microsoft.Win32.SafeHandles.SafeFileHandle Open() => File.OpenHandle(partial, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, length);
    }

    /// <summary>What came of a put that failed.</summary>
    private static void Discard(string partial)
    {
        try
        {
            File.Delete(partial);
        }
        catch (DirectoryNotFoundException)
        {
            // There is not even a folder.
        }
    }

    private void MakeFolder(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (folders.TryAdd(folder, true))
        {
            try
            {
                Directory.CreateDirectory(folder);
                DiskSync.Folder(root);
            }
            catch
            {
                // A full disk: the next put must make and flush it.
                folders.TryRemove(folder, out _);
                throw;
            }
        }
    }

    /// <summary>An object that was put after its request was deleted has made its folder again.</summary>
    private void RemoveIfEmpty(string folder)
    {
        try
        {
            lock (removing)
            {
                Directory.Delete(folder, recursive: false);
            }
        }
        catch (IOException)
        {
            // Not empty, as nearly always; or gone.
        }
    }

    private string PathOf(string key) =>
        ObjectKey.IsValid(key) ? Path.Combine(root, key) : throw new ArgumentException($"'{key}' is not an object key.", nameof(key));
}
