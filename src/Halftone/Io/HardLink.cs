using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Halftone.Io;

/// <summary>The outcome of a link.</summary>
internal enum LinkResult
{
    Made,
    /// <summary>The file, or the folder of the link, does not exist.</summary>
    Missing,
    /// <summary>The file system does not support hard links, the file has the maximum number, or it belongs to someone else.</summary>
    Refused,
}

/// <summary>
/// Creates hard links, which .NET does not support: link(2), utimensat(2). On Windows it always refuses, and the caller copies.
/// </summary>
internal static class HardLink
{
    private const int NoEntry = 2;
    private const int IsThere = 17;
    private const int NoSpace = 28;

    private static readonly int CurrentFolder = OperatingSystem.IsMacOS() ? -2 : -100;
    private static readonly int QuotaExceeded = OperatingSystem.IsMacOS() ? 69 : 122;

    /// <summary>
    /// Creates a link and sets the file's modification time to now, so that code that judges files by age treats the
    /// new name as young.
    /// </summary>
    /// <param name="file">The existing file.</param>
    /// <param name="link">A name that nobody else would choose: if it already exists, a network file system created it
    /// and lost the answer.</param>
    /// <exception cref="IOException">The disk is full.</exception>
    public static LinkResult Make(string file, string link)
    {
        if (OperatingSystem.IsWindows())
        {
            return File.Exists(file) && Directory.Exists(Path.GetDirectoryName(link)) ? LinkResult.Refused : LinkResult.Missing;
        }

        return Touch(CurrentFolder, file, 0, 0) != 0 || Link(file, link) != 0
            ? Marshal.GetLastPInvokeError() switch
            {
                NoEntry => LinkResult.Missing,
                IsThere => LinkResult.Made,
                var error when error == NoSpace || error == QuotaExceeded =>
                    throw new IOException($"{link}: link failed with errno {error}."),
                _ => LinkResult.Refused,
            }
            : LinkResult.Made;
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true), UnsupportedOSPlatform("windows")]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string file, [MarshalAs(UnmanagedType.LPUTF8Str)] string link);

    [DllImport("libc", EntryPoint = "utimensat", SetLastError = true), UnsupportedOSPlatform("windows")]
    private static extern int Touch(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint now, int flags);
}
