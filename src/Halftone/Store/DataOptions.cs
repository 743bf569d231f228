using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>The one folder that a server on a single machine needs.</summary>
internal sealed class DataOptions
{
    /// <summary>Holds the database, uploads, results and images; made when it is missing; <c>data</c> in the working folder.</summary>
    [Required]
    public string Folder { get; set; } = "data";
}

[OptionsValidator]
internal sealed partial class DataOptionsValidator : IValidateOptions<DataOptions>;

/// <summary>The data folder of this process, locked: a second server on the same folder would plan the same work again.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream held;

    /// <exception cref="DataFolderException">Another process holds the folder, or it cannot be written.</exception>
    public DataFolder(string folder)
    {
        Root = Path.GetFullPath(folder);
        var path = Path.Combine(Root, "lock");
        try
        {
            Directory.CreateDirectory(Root);
            held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(path))
        {
            throw new DataFolderException($"Another halftone is using the data folder '{Root}': stop it, or give this one a folder of its own with --data.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException($"The data folder '{Root}' cannot be used ({exception.Message}): choose another with --data.", exception);
        }
    }

    /// <summary>Absolute.</summary>
    public string Root { get; }

    public string Images => Path.Combine(Root, "images");

    public string Files => Path.Combine(Root, "files");

    public string Database => Path.Combine(Root, "halftone.db");

    public void Dispose() => held.Dispose();
}

/// <summary>The data folder cannot be used; the message is a sentence that says what to do.</summary>
internal sealed class DataFolderException(string message, Exception inner) : Exception(message, inner);
