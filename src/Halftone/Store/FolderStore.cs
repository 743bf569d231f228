using System.Collections.Concurrent;
using System.Globalization;
using Halftone.Io;
using Halftone.Model;

namespace Halftone.Store;

/// <summary>
/// Objects as files in one folder: written beside their final name, then renamed, so neither a reader nor a crash sees
/// a partial file. A file survives the end of the process at once; it survives a power failure after
/// <see cref="FlushAsync"/> (images, once per request), or when it is put as a stream (uploads and results).
/// </summary>
internal sealed class FolderStore(string root) : IFileStore, IImageStore
{
    /// <summary>Extension of files being written; leftovers of a crash are swept.</summary>
    public const string PartialExtension = ".part";

    private readonly string root = Path.GetFullPath(root);
    private readonly ConcurrentDictionary<string, bool> folders = new(StringComparer.Ordinal);

    /// <summary>Held while an empty folder is removed, and while it is created again for an object.</summary>
    private readonly Lock removing = new();

    public bool IsRemote => false;

    public async Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        var partial = path + PartialExtension;
        MakeFolder(path);
        try
        {
            using (var file = OpenPartial(path, partial, body.Length))
            {
                // A plain write: copying some 100 KB into the page cache is cheaper than handing it to another thread.
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
            // The folder was removed after this process created it.
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            result = HardLink.Make(source, path);
        }

        if (result == LinkResult.Refused)
        {
            return await CopyBytesAsync(source, to, length, cancellationToken);
        }

        if (result == LinkResult.Made && new FileInfo(path).Length != length)
        {
            // Left over by a power failure from a file that was not flushed.
            File.Delete(path);
            return false;
        }

        return result == LinkResult.Made;
    }

    public Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken)
    {
        if (key.EndsWith(PartialExtension, StringComparison.Ordinal))
        {
            return Task.FromResult<Stream?>(null);
        }

        try
        {
            const FileShare Share = FileShare.Read | FileShare.Delete;
            return Task.FromResult<Stream?>(
                new FileStream(PathOf(key), FileMode.Open, FileAccess.Read, Share, 65_536, FileOptions.SequentialScan));
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
            // The request was deleted in the meantime.
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
            // Already deleted: the message was delivered twice.
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
            // Gone or unreadable: not worth waiting for, because it can be made again.
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
            // Removed after this process created it, with the request or with its last object. A run that started
            // earlier still stores its object, and cleans up after itself.
            lock (removing)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                return Open();
            }
        }

        Microsoft.Win32.SafeHandles.SafeFileHandle Open() =>
            File.OpenHandle(partial, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, length);
    }

    /// <summary>Cleans up after a put that failed.</summary>
    private static void Discard(string partial)
    {
        try
        {
            File.Delete(partial);
        }
        catch (DirectoryNotFoundException)
        {
            // Not even the folder exists.
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
                // A full disk: the next put must create and flush it.
                folders.TryRemove(folder, out _);
                throw;
            }
        }
    }

    /// <summary>Removes the folder again if an object was put after its request was deleted.</summary>
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
            // Not empty, as almost always; or gone.
        }
    }

    private string PathOf(string key) =>
        ObjectKey.IsValid(key) ? Path.Combine(root, key) : throw new ArgumentException($"'{key}' is not an object key.", nameof(key));
}
