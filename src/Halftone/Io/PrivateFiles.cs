namespace Halftone.Io;

/// <summary>
/// Files and folders that only the user of this process may read: the database holds the webhook secret and hashes of API
/// keys.
/// </summary>
internal static class PrivateFiles
{
    /// <summary>Creates a folder with mode 0700; one that exists keeps its mode. On Windows it inherits the access of its parent.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Creates an empty file with mode 0600 if there is none, and gives an existing one that mode.</summary>
    /// <exception cref="UnauthorizedAccessException">The file belongs to another user.</exception>
    public static void CreateFile(string path)
    {
        using (File.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
        {
        }

        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != Private)
        {
            File.SetUnixFileMode(path, Private);
        }
    }

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
}
