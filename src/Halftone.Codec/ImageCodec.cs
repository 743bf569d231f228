namespace Halftone.Codec;

/// <summary>Bytes in, bytes out: no I/O, no configuration.</summary>
public static class ImageCodec
{
}
