using System.ComponentModel.DataAnnotations;
using Halftone.Io;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>The one folder that a server on a single machine needs.</summary>
internal sealed class DataOptions
{
    /// <summary>Holds the database, uploads, results and images; made when it is missing; <c>data</c> in the working folder.</summary>
    [Required]
    public string Folder { get; set; } = "data";

    /// <summary>Every process that shares the queue sees this same folder, on a network file system for one; false. Not asked where <c>Store:S3</c> is used.</summary>
    public bool Shared { get; set; }
}

[OptionsValidator]
internal sealed partial class DataOptionsValidator : IValidateOptions<DataOptions>;

/// <summary>Where things are in the data folder.</summary>
/// <param name="folder">As configured; relative to the working folder.</param>
/// <param name="option">How its user named it on the command line.</param>
internal sealed class DataFolder(string folder, string option = "--data") : IDisposable
{
    private FileStream? held;

    /// <summary>There only between a stop that ended all work in order and the next start.</summary>
    private string CleanMark => Path.Combine(Root, "clean");

    /// <summary>Absolute.</summary>
    public string Root { get; } = Path.GetFullPath(folder);

    public string Images => Path.Combine(Root, "images");

    public string Files => Path.Combine(Root, "files");

    public string Database => Path.Combine(Root, "halftone.db");

    /// <summary>Makes the folder where it is missing.</summary>
    /// <exception cref="DataFolderException">It cannot be made or written.</exception>
    public DataFolder Make()
    {
        try
        {
            Directory.CreateDirectory(Root);
            return this;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException($"The data folder '{Root}' cannot be used ({exception.Message}): choose another with {option}.", exception);
        }
    }

    /// <summary>Keeps every other server out until this process ends, however it ends: two would plan the same work. Once is enough.</summary>
    /// <exception cref="DataFolderException">Another process has it, or it cannot be written.</exception>
    public void Hold()
    {
        var path = Path.Combine(Make().Root, "lock");
        try
        {
            held ??= new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(path))
        {
            throw new DataFolderException($"Another halftone is using the data folder '{Root}': stop it, or give this one a folder of its own with {option}.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException($"The data folder '{Root}' cannot be used ({exception.Message}): choose another with {option}.", exception);
        }
    }

    /// <summary>
    /// Whether the last process ended its work in order and put every file on disk: then no file can be missing and none is half a file. Answers
    /// once; the mark is gone, on disk too, before any work begins.
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

    /// <summary>After the last work has ended in order. Flushes the file system first.</summary>
    /// <exception cref="IOException">The disk is full or failing; the next start then looks at every file, as after a crash.</exception>
    public void MarkClean()
    {
        DiskSync.FileSystem(Root);
        File.Create(CleanMark).Dispose();
        DiskSync.Folder(Root);
    }

    public void Dispose() => held?.Dispose();
}

/// <summary>The data folder cannot be used; the message is a sentence that says what to do.</summary>
internal sealed class DataFolderException(string message, Exception inner) : Exception(message, inner);
