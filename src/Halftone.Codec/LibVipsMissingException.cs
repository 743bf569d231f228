namespace Halftone.Codec;

/// <summary>There is no libvips for this machine that serves; the message is a whole sentence for people.</summary>
public sealed class LibVipsMissingException : Exception
{
    private LibVipsMissingException(string message) : base(message)
    {
    }

    internal static LibVipsMissingException NotFound() => new(
        "libvips was not found: the program brings it for Linux, macOS and Windows on x64 and arm64; on another machine install libvips "
            + "8.15 or newer.");

    internal static LibVipsMissingException TooOld(Version found, Version oldest) => new(
        $"libvips {found} of this system is too old: install {oldest} or newer, or use a build of Halftone that brings its own.");
}
