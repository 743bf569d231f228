namespace Halftone.Io;

/// <summary>
/// An unnamed local file that is gone when it is closed or its process ends, for objects that must be seekable or of
/// known length before they are sent.
/// </summary>
internal static class ScratchFile
{
    private const int BufferBytes = 65_536;

    /// <summary>Created in the folder for temporary files (<c>TMPDIR</c>), readable only by this user.</summary>
    public static FileStream Create()
    {
        var path = Path.Combine(Path.GetTempPath(), $"halftone-{Path.GetRandomFileName()}");
        var file = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = BufferBytes,
        };
        if (OperatingSystem.IsWindows())
        {
            file.Options = FileOptions.DeleteOnClose;
            return new FileStream(path, file);
        }

        file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var scratch = new FileStream(path, file);
        // Without a name, the file also disappears with a process that is killed.
        File.Delete(path);
        return scratch;
    }
}
