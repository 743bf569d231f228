using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Looks whether an output can be what its source shows: not of one colour where the source has many, no frames lost. Decoders and
/// converters have
/// answered pictures of kinds that they half know with black, and called it a success.
/// </summary>
internal static class OutputGuard
{
    /// <summary>
    /// An output of one colour has few bytes; only one that has is decoded again, so that ordinary pictures cost nothing.
    /// </summary>
    private const int FewBytes = 1_000;

    /// <summary>Levels of 255 between the least and the greatest sample that still count as one colour.</summary>
    private const double OneColour = 2;

    /// <summary>Shares of the samples' range: how far apart, and how much spread, the samples of a source of many colours are.</summary>
    private const double ManyColours = 0.08, Spread = 0.005;

    // Columns of the table that libvips makes of an image's samples; its first row is of all bands together.
    private const int Least = 0, Greatest = 1, Deviation = 5;

    /// <summary>What is wrong with the output; null where nothing is.</summary>
    /// <param name="body">The output.</param>
    /// <param name="to">Its format.</param>
    /// <param name="pixels">Its pixels over all frames.</param>
    /// <param name="openSource">Opens the source anew, its samples as they are stored.</param>
    public static string? OneColourOfMany(ReadOnlyMemory<byte> body, ImageFormat to, long pixels, Func<Image> openSource)
    {
        if (body.Length > FewBytes + pixels / PixelsPerByte(to) || pixels < 2)
        {
            return null;
        }

        using var pinned = body.Pin();
        using var output = VipsTranscoder.Open(pinned, body.Length, to, to);
        if (IsAny(output, (least, greatest, _) => greatest - least > OneColour))
        {
            return null;
        }

        using var source = openSource();
        using var flat = source.HasAlpha() ? source.Flatten(background: [Full(source)]) : source.Copy();
        var full = Full(flat);
        return IsAny(flat, (least, greatest, deviation) =>
        {
            var range = full > 0 ? full : Math.Max(Math.Abs(least), Math.Abs(greatest));
            return range > 0 && greatest - least > ManyColours * range && deviation > Spread * range;
        }) ? "the output is of one colour, and the source is not" : null;
    }

    /// <summary>
    /// Encoders may join equal frames that follow each other into one that is shown as long as they were: then the animation lasts as long
    /// as before.
    /// </summary>
    /// <param name="body">The output.</param>
    /// <param name="to">Its format.</param>
    /// <param name="source">What was encoded.</param>
    /// <param name="openSource">Opens it anew.</param>
    public static string? LostFrames(ReadOnlyMemory<byte> body, ImageFormat to, Image source, Func<Image> openSource)
    {
        var frames = source.Height / source.PageHeight;
        if (frames < 2 || SourceFacts.Read(body.Span, to).Frames is var written && written >= frames)
        {
            return null;
        }

        using var pinned = body.Pin();
        using var output = VipsTranscoder.Open(pinned, body.Length, to, to);
        var isSame = written == 1
            ? AllFramesAreEqual(openSource)
            : Math.Abs(Duration(output, written) - Duration(source, frames)) <= frames;
        return isSame ? null : $"{written} frames of {frames} are left, and they do not last as long";
    }

    private static bool AllFramesAreEqual(Func<Image> openSource)
    {
        using var source = openSource();
        using var pixels = source.Pixels();
        var frameBytes = pixels.Bytes.Length / (source.Height / source.PageHeight);
        for (var at = frameBytes; at < pixels.Bytes.Length; at += frameBytes)
        {
            if (!pixels.Bytes.Slice(at, frameBytes).SequenceEqual(pixels.Bytes[..frameBytes]))
            {
                return false;
            }
        }

        return true;
    }

    private static long Duration(Image animation, int frames)
    {
        int[] delays = animation.Contains(ImageFields.Delay) ? (int[])animation.Get(ImageFields.Delay) : [];
        long duration = 0;
        for (var i = 0; i < frames; i++)
        {
            duration += i < delays.Length ? delays[i] : 100;
        }

        return duration;
    }

    /// <summary>
    /// Of a picture of one colour a byte was measured to hold 169 pixels in JPEG, 525 in WebP, 1,071 in GIF, 1,000 to 8,000 in PNG and
    /// 11,800 in AVIF.
    /// </summary>
    private static int PixelsPerByte(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => 140,
        ImageFormat.Webp => 400,
        ImageFormat.Gif or ImageFormat.Png => 800,
        _ => 4_000,
    };

    private static bool IsAny(Image image, Func<double, double, double, bool> test)
    {
        using var table = image.Stats();
        for (var band = 1; band <= image.Bands; band++)
        {
            if (test(table.Getpoint(Least, band)[0], table.Getpoint(Greatest, band)[0], table.Getpoint(Deviation, band)[0]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The greatest sample of an unsigned kind; 0 for others, whose range is not known.</summary>
    private static double Full(Image image) => image.Format switch
    {
        Enums.BandFormat.Uchar => byte.MaxValue,
        Enums.BandFormat.Ushort => ushort.MaxValue,
        Enums.BandFormat.Uint => uint.MaxValue,
        _ => 0,
    };
}
