using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Makes an image smaller in the manner of libvips's thumbnail: the decoder leaves out what it can, the rest is averaged by whole numbers
/// and, for the
/// last factor of two, by a Lanczos kernel.
/// </summary>
internal static class VipsShrinker
{
    /// <summary>The size to shrink to, as the pixels lie in the file; null where the image is to stay as large as it is.</summary>
    public static (int Width, int Height)? Wanted(Image opened, SizeBox box)
    {
        var turned = opened.Orientation >= 5 ? box.Turned : box;
        return turned.Holds(opened.Width, opened.PageHeight) ? null : turned.Fit(opened.Width, opened.PageHeight);
    }

    /// <summary>An option of the loader, so that it decodes to a size not far above the wanted one; null where it cannot.</summary>
    public static (string Name, object Value)? OnLoad(Image opened, ImageFormat from, (int Width, int Height) wanted) => from switch
    {
        ImageFormat.Jpeg =>
            JpegFactor(Math.Min((double)opened.Width / wanted.Width, (double)opened.Height / wanted.Height)) is > 1 and var factor
                ? ("shrink", factor)
                : null,
        // libwebp does not weigh colours by their alpha, and what is transparent is often black.
        ImageFormat.Webp when opened.Height == opened.PageHeight && !opened.HasAlpha() && WebpScale(opened, wanted) is < 1 and var scale =>
            ("scale", scale),
        _ => null,
    };

    /// <summary>Shrinks an image, or every frame of an animation, to exactly this size.</summary>
    /// <param name="pipeline">Holds the image.</param>
    /// <param name="wanted">Pixels, of one frame.</param>
    /// <param name="frames">Room that an animation's frames are put in.</param>
    public static void Shrink(VipsPipeline pipeline, (int Width, int Height) wanted, FrameRoll frames)
    {
        if (pipeline.Image.Interpretation is Enums.Interpretation.Rgb16 or Enums.Interpretation.Grey16)
        {
            // Becomes 8 bits in the end; six times the CPU for what nobody sees.
            pipeline.Apply(image => image.Colourspace(
                image.Interpretation == Enums.Interpretation.Grey16 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb));
        }

        var count = pipeline.Image.Height / pipeline.Image.PageHeight;
        if (count > 1 && FrameRoll.Takes(count, (long)wanted.Width * wanted.Height))
        {
            pipeline.Replace(frames.Shrink(pipeline.Image, wanted.Width, wanted.Height));
            return;
        }

        Apply(pipeline, wanted.Width, wanted.Height * count);
        if (count > 1)
        {
            pipeline.Replace(pipeline.Image.WithPageHeight(wanted.Height));
        }
    }

    /// <summary>Shrinks all of an image to exactly this size.</summary>
    public static void Apply(VipsPipeline pipeline, int width, int height)
    {
        double across = (double)width / pipeline.Image.Width, down = (double)height / pipeline.Image.Height;
        if (across == 1 && down == 1)
        {
            return;
        }

        // Colours of transparent pixels must not be mixed into what is seen.
        Enums.BandFormat? format = pipeline.Image.HasAlpha() ? pipeline.Image.Format : null;
        if (format is { } stored)
        {
            pipeline.Apply(image => image.Premultiply()).Apply(image => image.Cast(stored));
        }

        // Lanczos rings: beside an edge, what is opaque gets holes of 1 % and what is empty a veil. WebP keeps alpha exactly, and paid 20
        // to 47 % of its bytes for it.
        var kernel = format is null ? Enums.Kernel.Lanczos3 : Enums.Kernel.Mitchell;
        pipeline.Apply(image => image.Resize(across, kernel: kernel, vscale: down));
        if (format is { } again)
        {
            pipeline.Apply(image => image.Unpremultiply()).Apply(image => image.Cast(again));
        }
    }

    /// <summary>
    /// libjpeg leaves out the finest half, three quarters or seven eighths of the frequencies. Half costs 0.2 dB after encoding at quality
    /// 50, with 2 % fewer
    /// bytes, for half the CPU; a quarter is worth it from 5 on, an eighth saves little (bench/results/resize.md). thumbnail waits until
    /// twice that, sharp does not.
    /// </summary>
    private static int JpegFactor(double shrink) => shrink switch { >= 16 => 8, >= 5 => 4, >= 2 => 2, _ => 1 };

    /// <summary>The scale at which libwebp comes out at the wanted size, or above it by little.</summary>
    private static double WebpScale(Image opened, (int Width, int Height) wanted)
    {
        double across = (double)wanted.Width / opened.Width, down = (double)wanted.Height / opened.Height;
        return Math.Round(opened.Height * across) == wanted.Height
            ? across
            : Math.Round(opened.Width * down) == wanted.Width ? down : Math.Max(across, down);
    }
}
