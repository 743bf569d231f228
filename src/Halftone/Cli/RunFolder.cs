using Halftone.Api;
using Halftone.Io;
using Halftone.Store;

namespace Halftone.Cli;

/// <summary>
/// The layout of a run's folder: the result CSV, <c>images/</c>, and internal data in <c>.halftone/</c>. Files that no
/// run created are never touched.
/// </summary>
/// <param name="folder">The path as given; created if missing.</param>
internal sealed class RunFolder(string folder)
{
    private readonly List<string> made = [];

    /// <summary>The absolute path.</summary>
    public string Root { get; } = Path.GetFullPath(folder);

    public string Data => Path.Combine(Root, ".halftone");

    public string Images => Path.Combine(Root, "images");

    /// <summary>The path of the result CSV for a file of that name.</summary>
    public string ResultOf(string fileName) => Path.Combine(Root, ResultName.Of(fileName, "-result.csv"));

    /// <summary>The same path as its user would write it.</summary>
    public string ShownResultOf(string fileName) => Path.Combine(folder, ResultName.Of(fileName, "-result.csv"));

    /// <summary>Creates the folders.</summary>
    /// <exception cref="CommandFailedException">They cannot be created, or files that no run created are in the way.</exception>
    public void Make(string fileName)
    {
        try
        {
            // Before the first run's database exists, there are no images or results of ours. The daily sweep would
            // take foreign files for orphans.
            if (!File.Exists(Path.Combine(Data, "halftone.db"))
                && new[] { Images, ResultOf(fileName) }.FirstOrDefault(IsTaken) is { } taken)
            {
                throw new CommandFailedException(
                    "folder_not_ours",
                    $"'{taken}' already exists and was not created by Halftone. Choose another folder with --out.");
            }

            foreach (var missing in new[] { Root, Data }.Where(path => !Directory.Exists(path)))
            {
                Directory.CreateDirectory(missing);
                made.Add(missing);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(
                "folder_unusable",
                $"The folder '{Root}' cannot be used ({exception.Message}). Choose another with --out.",
                exception);
        }
    }

    /// <summary>Removes the folders that <see cref="Make"/> created if they hold no work: a refused file leaves nothing behind.</summary>
    public void RemoveUnused()
    {
        Directory.Delete(Data, recursive: true);
        foreach (var folder in new[] { Images, Root }.Where(path => path == Images || made.Contains(path)))
        {
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
            }
        }
    }

    /// <summary>Copies a result file beside the images and flushes it to disk.</summary>
    public async Task PublishAsync(Stream result, string fileName, CancellationToken cancellationToken)
    {
        var path = ResultOf(fileName);
        var partial = path + FolderStore.PartialExtension;
        try
        {
            await using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write))
            {
                await result.CopyToAsync(file, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: true);
            DiskSync.Folder(Root);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    private static bool IsTaken(string path) =>
        File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any());
}
