using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>libvips with <c>fail_on=warning</c>: whatever libjpeg has to complain about is an error.</summary>
internal static class StrictDecoder
{
    /// <exception cref="VipsException">The file is not flawless.</exception>
    public static Picture Decode(ReadOnlyMemory<byte> file)
    {
        ImageCodec.Initialize();
        using var pinned = file.Pin();
        using var image = VipsOperation.Load("jpegload_buffer", pinned, file.Length, "fail_on=warning");
        using var pixels = image.Pixels();
        return new Picture(image.Width, image.Height, image.Bands, pixels.Bytes.ToArray());
    }
}
