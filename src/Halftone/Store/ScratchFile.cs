namespace Halftone.Store;

/// <summary>A local file without a name of its own, gone when it is closed, for objects that must be seekable or of known length before they travel.</summary>
internal static class ScratchFile
{
    private const int BufferBytes = 65_536;

    /// <summary>In the folder for temporary files (<c>TMPDIR</c>), readable by this user alone.</summary>
    public static FileStream Create()
    {
        var file = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = BufferBytes, Options = FileOptions.DeleteOnClose };
        if (!OperatingSystem.IsWindows())
        {
            file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(Path.Combine(Path.GetTempPath(), $"halftone-{Path.GetRandomFileName()}"), file);
    }
}
