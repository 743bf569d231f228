using System.Runtime.InteropServices;

namespace Halftone.Io;

/// <summary>Flushes folders and file systems with open(2), fsync(2) and syncfs(2), because .NET cannot open a folder.</summary>
internal static class DiskSync
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>Flushes a folder's entries to disk, so that a renamed file is found after a power failure.</summary>
    /// <exception cref="IOException">The disk reported an error, or the folder cannot be opened.</exception>
    public static void Folder(string path) => WithFolder(path, FSync, "fsync");

    /// <summary>Flushes everything written to the folder's file system to disk.</summary>
    /// <exception cref="IOException">The disk reported an error, or the folder cannot be opened.</exception>
    public static void FileSystem(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            WithFolder(path, SyncFs, "syncfs");
        }
        else
        {
            Sync();
        }
    }

    private static void WithFolder(string path, Func<int, int> flush, string call)
    {
        var folder = Open(path, OperatingSystem.IsLinux() ? ReadOnlyCloseOnExec : 0);
        if (folder < 0)
        {
            throw new IOException($"{path}: open failed with errno {Marshal.GetLastPInvokeError()}.");
        }

        try
        {
            if (flush(folder) != 0)
            {
                throw new IOException($"{path}: {call} failed with errno {Marshal.GetLastPInvokeError()}.");
            }
        }
        finally
        {
            _ = Close(folder);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int FSync(int descriptor);

    [DllImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static extern int SyncFs(int descriptor);

    [DllImport("libc", EntryPoint = "sync")]
    private static extern void Sync();

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
