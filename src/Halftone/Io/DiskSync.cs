using System.Runtime.InteropServices;

namespace Halftone.Io;

/// <summary>.NET cannot open a folder, so what flushes names and whole file systems is called directly: open(2), fsync(2), syncfs(2).</summary>
internal static class DiskSync
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>Puts a folder's entries on disk: a renamed file is found again after power loss.</summary>
    /// <exception cref="IOException">The disk reported an error, or the folder cannot be opened.</exception>
    public static void Folder(string path) => WithFolder(path, FSync, "fsync");

    /// <summary>Puts everything written to the folder's file system on disk.</summary>
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
