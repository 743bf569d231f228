using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>One encoder setting per format; what there is to choose stands in the <see cref="CodecRequest"/>.</summary>
internal static class VipsSaver
{
    public static byte[] Save(Image image, ImageFormat to, CodecRequest request, bool keepsProfile)
    {
        var keep = keepsProfile ? Enums.ForeignKeep.Icc : Enums.ForeignKeep.None;
        return to switch
        {
            ImageFormat.Jpeg => image.JpegsaveBuffer(q: request.Q, optimizeCoding: true, keep: keep),
            // A palette, chosen for the quality; effort 7 of 1 to 10 is the library's own default. Our own quantizer comes first: this is
            // what
            // it is measured against, and the way for pixels it does not know.
            ImageFormat.Png => image.PngsaveBuffer(q: request.Q, palette: true, effort: 7, compression: 6, keep: keep),
            ImageFormat.Webp => image.WebpsaveBuffer(q: request.Q, effort: request.WebpEffort, keep: keep),
            ImageFormat.Gif => image.GifsaveBuffer(effort: 7, dither: 0.5, bitdepth: GifBits(request.Q), keep: keep),
            ImageFormat.Avif => image.HeifsaveBuffer(
                q: request.Q, compression: Enums.ForeignHeifCompression.Av1, bitdepth: 8, effort: request.AvifEffort, keep: keep),
            _ => throw new ArgumentOutOfRangeException(nameof(to), to, "cannot be written"),
        };
    }

    /// <summary>
    /// GIF has no quality but the number of its colours, 2 to this power a frame. 64 for quality 50 left 0.69 of the bytes of
    /// six sample GIFs at 43.6 to 60 dB PSNR; 32 would leave 0.57 at 40 to 54 dB.
    /// </summary>
    private static int GifBits(int q) => q switch { >= 85 => 8, >= 65 => 7, >= 40 => 6, >= 20 => 5, _ => 4 };
}
