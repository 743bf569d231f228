using System.Runtime.InteropServices;

namespace Halftone.Io;

/// <summary>What came of a link.</summary>
internal enum LinkResult
{
    Made,
    /// <summary>There is no such file, or no folder for the link.</summary>
    Missing,
    /// <summary>This file system makes none, this file has as many names as it may have, or it is not ours to name.</summary>
    Refused,
}

/// <summary>A second name for a file, which .NET does not make: link(2), utimensat(2).</summary>
internal static class HardLink
{
    private const int NoEntry = 2;
    private const int IsThere = 17;
    private const int NoSpace = 28;

    private static readonly int CurrentFolder = OperatingSystem.IsMacOS() ? -2 : -100;
    private static readonly int QuotaExceeded = OperatingSystem.IsMacOS() ? 69 : 122;

    /// <summary>Makes it. The file counts as written now: whoever goes by its age must take a name that was just made for a young one.</summary>
    /// <param name="file">What there is.</param>
    /// <param name="link">A name that nobody else would choose: where it is there already, a network file system has made it and lost the answer.</param>
    /// <exception cref="IOException">The disk is full.</exception>
    public static LinkResult Make(string file, string link) =>
        Touch(CurrentFolder, file, 0, 0) != 0 || Link(file, link) != 0
            ? Marshal.GetLastPInvokeError() switch
            {
                NoEntry => LinkResult.Missing,
                IsThere => LinkResult.Made,
                var error when error == NoSpace || error == QuotaExceeded => throw new IOException($"{link}: link failed with errno {error}."),
                _ => LinkResult.Refused,
            }
            : LinkResult.Made;

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string file, [MarshalAs(UnmanagedType.LPUTF8Str)] string link);

    [DllImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    private static extern int Touch(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint now, int flags);
}
