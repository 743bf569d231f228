namespace Halftone.Codec;

/// <summary>There is no libvips on this machine; the message is a whole sentence for people.</summary>
public sealed class LibVipsMissingException() : Exception(
    "libvips was not found: install it with 'apt-get install -y libvips42', or build Halftone again where npm is installed.");
