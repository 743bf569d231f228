using System.ComponentModel.DataAnnotations;
using Halftone.Io;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>Section <c>Data</c>: the only folder that a server on a single machine needs.</summary>
internal sealed class DataOptions
{
    /// <summary>Folder of the database, uploads, results and images; created if missing; <c>data</c> in the working folder.</summary>
    [Required]
    public string Folder { get; set; } = "data";

    /// <summary>
    /// True if every process that shares the queue sees this same folder, for example on a network file system; false.
    /// Ignored with <c>Store:S3</c>.
    /// </summary>
    public bool Shared { get; set; }
}

[OptionsValidator]
internal sealed partial class DataOptionsValidator : IValidateOptions<DataOptions>;

/// <summary>Layout of the data folder.</summary>
/// <param name="folder">The configured path; relative to the working folder.</param>
/// <param name="option">The option or setting that names it, for messages.</param>
internal sealed class DataFolder(string folder, string option = "--data") : IDisposable
{
    private FileStream? held;

    /// <summary>Exists only between a graceful stop and the next start.</summary>
    private string CleanMark => Path.Combine(Root, "clean");

    /// <summary>The absolute path.</summary>
    public string Root { get; } = Path.GetFullPath(folder);

    public string Images => Path.Combine(Root, "images");

    public string Files => Path.Combine(Root, "files");

    public string Database => Path.Combine(Root, "halftone.db");

    /// <summary>Creates the folder if it is missing.</summary>
    /// <exception cref="DataFolderException">It cannot be created or written.</exception>
    public DataFolder Make()
    {
        try
        {
            PrivateFiles.CreateFolder(Root);
            return this;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException(
                $"The data folder '{Root}' cannot be used ({exception.Message}). Choose another with {option}.",
                exception);
        }
    }

    /// <summary>
    /// Keeps every other server out until this process ends, however it ends: two would plan the same work. Repeated
    /// calls have no effect.
    /// </summary>
    /// <exception cref="DataFolderException">Another process uses it, or it is not writable.</exception>
    public void Hold()
    {
        var path = Path.Combine(Make().Root, "lock");
        try
        {
            held ??= new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(path))
        {
            throw new DataFolderException(
                $"Another Halftone process is using the data folder '{Root}'. Stop it, or choose another folder with {option}.",
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException(
                $"The data folder '{Root}' cannot be used ({exception.Message}). Choose another with {option}.",
                exception);
        }
    }

    /// <summary>
    /// True if the last process stopped gracefully and flushed every file: then no file can be missing or truncated.
    /// Answers once; the mark is removed, on disk too, before any work starts.
    /// </summary>
    public bool TakeCleanMark()
    {
        if (!File.Exists(CleanMark))
        {
            return false;
        }

        File.Delete(CleanMark);
        DiskSync.Folder(Root);
        return true;
    }

    /// <summary>
    /// Marks a graceful stop, after the last work has ended. Flushes the file system first; Windows cannot, so it never gets this mark.
    /// </summary>
    /// <exception cref="IOException">The disk is full or failing; the next start then checks every file, as after a crash.</exception>
    public void MarkClean()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        DiskSync.FileSystem(Root);
        File.Create(CleanMark).Dispose();
        DiskSync.Folder(Root);
    }

    public void Dispose() => held?.Dispose();
}

/// <summary>The data folder cannot be used; the message says what to do.</summary>
internal sealed class DataFolderException(string message, Exception inner) : Exception(message, inner);
