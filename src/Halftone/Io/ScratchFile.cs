namespace Halftone.Io;

/// <summary>A local file without a name, gone when it is closed or its process ends, for objects that must be seekable or of known length before they travel.</summary>
internal static class ScratchFile
{
    private const int BufferBytes = 65_536;

    /// <summary>In the folder for temporary files (<c>TMPDIR</c>), readable by this user alone.</summary>
    public static FileStream Create()
    {
        var path = Path.Combine(Path.GetTempPath(), $"halftone-{Path.GetRandomFileName()}");
        var file = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = BufferBytes };
        if (OperatingSystem.IsWindows())
        {
            file.Options = FileOptions.DeleteOnClose;
            return new FileStream(path, file);
        }

        file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var scratch = new FileStream(path, file);
        // Only without its name does it go with a process that is killed.
        File.Delete(path);
        return scratch;
    }
}
