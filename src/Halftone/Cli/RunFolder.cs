using Halftone.Api;
using Halftone.Io;
using Halftone.Store;

namespace Halftone.Cli;

/// <summary>
/// Where things are in the folder of a run: the result CSV, <c>images/</c>, and the work's own data in <c>.halftone/</c>. What lies there that
/// no run made is never touched.
/// </summary>
/// <param name="folder">As given; made where it is missing.</param>
internal sealed class RunFolder(string folder)
{
    private readonly List<string> made = [];

    /// <summary>Absolute.</summary>
    public string Root { get; } = Path.GetFullPath(folder);

    public string Data => Path.Combine(Root, ".halftone");

    public string Images => Path.Combine(Root, "images");

    /// <summary>The result CSV of a file of that name.</summary>
    public string ResultOf(string fileName) => Path.Combine(Root, ResultName.Of(fileName, "-result.csv"));

    /// <summary>The same as its user would write it.</summary>
    public string ShownResultOf(string fileName) => Path.Combine(folder, ResultName.Of(fileName, "-result.csv"));

    /// <summary>Makes the folders.</summary>
    /// <exception cref="CommandFailedException">They cannot be made, or the names are taken by files that no run made.</exception>
    public void Make(string fileName)
    {
        try
        {
            // Before the first run's database there are neither images nor a result of ours; the daily sweep would take strange ones for orphans.
            if (!File.Exists(Path.Combine(Data, "halftone.db")) && new[] { Images, ResultOf(fileName) }.FirstOrDefault(IsTaken) is { } taken)
            {
                throw new CommandFailedException("folder_not_ours", $"'{taken}' is there already and no run of Halftone made it: choose another folder with --out.");
            }

            foreach (var missing in new[] { Root, Data }.Where(path => !Directory.Exists(path)))
            {
                Directory.CreateDirectory(missing);
                made.Add(missing);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException("folder_unusable", $"The folder '{Root}' cannot be used ({exception.Message}): choose another with --out.", exception);
        }
    }

    /// <summary>Removes what holds no work, and the folders that <see cref="Make"/> made: a refused file leaves nothing behind.</summary>
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

    /// <summary>Puts a copy of a result file beside the images, flushed to disk.</summary>
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

    private static bool IsTaken(string path) => File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any());
}
