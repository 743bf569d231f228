using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>libvips with <c>fail_on=warning</c>: whatever libjpeg has to complain about is an error.</summary>
internal static class StrictDecoder
{
    /// <exception cref="VipsException">The file is not flawless.</exception>
    public static Picture Decode(ReadOnlyMemory<byte> file)
    {
        ImageCodec.Initialize();
        using var pinned = file.Pin();
        using var image = VipsSource.Open("jpegload_buffer", pinned, file.Length, new VOption { { "fail_on", Enums.FailOn.Warning } });
        using var pixels = image.Pixels();
        return new Picture(image.Width, image.Height, image.Bands, pixels.Bytes.ToArray());
    }
}
