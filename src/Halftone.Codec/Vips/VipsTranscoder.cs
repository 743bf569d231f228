using System.Buffers;
using System.Globalization;
using Halftone.Codec.Png;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Decode and encode through libvips, for every format that is served, but for the palette of a PNG. The output is upright, of 8 bits a sample,
/// without metadata, its colours by <see cref="ColourPolicy"/>.
/// </summary>
internal static class VipsTranscoder
{
    /// <param name="source">The whole file.</param>
    /// <param name="from">Its format.</param>
    /// <param name="to">The output's format.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="isShrunk">Whether the output has fewer pixels than the source.</param>
    /// <exception cref="VipsException">The source is truncated or broken, or memory ran out.</exception>
    public static CodecResult Transcode(ReadOnlyMemory<byte> source, ImageFormat from, ImageFormat to, CodecRequest request, out bool isShrunk)
    {
        isShrunk = false;
        using var pinned = source.Pin();
        using var frames = new FrameRoll();
        using var pipeline = new VipsPipeline(Open(pinned, source.Length, from, to));
        if (TooManyPixels(pipeline.Image, request.MaxPixels) is { } refused)
        {
            return refused;
        }
        double sourceBytes = source.Length;
        if (VipsShrinker.Wanted(pipeline.Image, request.Box) is { } wanted)
        {
            isShrunk = true;
            // As many of the source's bytes as belong to the pixels that are left.
            sourceBytes *= (double)wanted.Width * wanted.Height / ((double)pipeline.Image.Width * pipeline.Image.PageHeight);
            if (VipsShrinker.OnLoad(pipeline.Image, from, wanted) is { } option)
            {
                pipeline.Replace(Open(pinned, source.Length, from, to, option));
            }
            VipsShrinker.Shrink(pipeline, wanted, frames);
        }
        TurnUpright(pipeline);
        var keepsProfile = ColourPolicy.Apply(pipeline, to);
        if (to == ImageFormat.Jpeg && pipeline.Image.HasAlpha())
        {
            // JPEG has no transparency; shops show products on white.
            pipeline.Apply(flat => flat.Flatten(background: [255]));
        }
        var image = pipeline.Image;
        if (Math.Max(image.Width, image.PageHeight) > LongestSide(to))
        {
            return new CodecResult.Refused(CodecError.TooManyPixels, $"{image.Width} x {image.PageHeight} pixels, a side of more than {LongestSide(to)}, the longest of {to}");
        }
        // libvips encodes; only a PNG's palette is our own, for a fifth of the CPU.
        var hasOurPalette = to == ImageFormat.Png && image is { Format: Enums.BandFormat.Uchar, Bands: <= 4 };
        var body = hasOurPalette ? EncodePalette(image, request.Q, keepsProfile, (long)sourceBytes) : VipsSaver.Save(image, to, request, keepsProfile);
        return new CodecResult.Compressed(body, to, image.Width, image.PageHeight, KeptOriginal: false) { Way = hasOurPalette ? CodecWay.Palette : CodecWay.LibVips };
    }

    /// <summary>Pixels, by what the encoders take; of a longer side they fail with a word that says nothing.</summary>
    private static int LongestSide(ImageFormat to) => to switch
    {
        ImageFormat.Webp => 16_383,
        ImageFormat.Jpeg => 65_500,
        ImageFormat.Avif => 16_384,
        _ => CodecRequest.MaxSidePixels,
    };

    private static ReadOnlyMemory<byte> EncodePalette(Image image, int q, bool keepsProfile, long sourceBytes)
    {
        using var pixels = image.Pixels();
        var grid = new PixelGrid(pixels.Bytes, image.Width, image.Height, image.Bands);
        return PaletteEncoder.OfThisThread.Encode(grid, PaletteSettings.ForQuality(q), keepsProfile ? image.ColourProfile : [], sourceBytes);
    }

    /// <summary>Reads the header. All frames are taken where both formats know animation; else, and of a TIFF's pages, the first.</summary>
    /// <param name="source">The file, pinned.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="from">Its format.</param>
    /// <param name="to">The output's format.</param>
    /// <param name="more">A further option of the loader.</param>
    public static Image Open(MemoryHandle source, int length, ImageFormat from, ImageFormat to, (string Name, object Value)? more = null)
    {
        var operation = from switch
        {
            ImageFormat.Jpeg => "jpegload_buffer",
            ImageFormat.Png => "pngload_buffer",
            ImageFormat.Webp => "webpload_buffer",
            ImageFormat.Gif => "gifload_buffer",
            ImageFormat.Avif => "heifload_buffer",
            ImageFormat.Tiff => "tiffload_buffer",
            _ => throw new ArgumentOutOfRangeException(nameof(from)),
        };
        // Sequential: rows are decoded as the encoder asks for them, so a large image is never whole in memory.
        var options = new VOption { { "access", Enums.Access.Sequential }, { "fail_on", Enums.FailOn.Error } };
        if (from is ImageFormat.Webp or ImageFormat.Avif)
        {
            // These two loaders cannot do that, and would put what has more than 100 MB into a temporary file of libvips's own format, whose writer is shut.
            options.Add("memory", true);
        }
        if (KnowsAnimation(from) && KnowsAnimation(to))
        {
            options.Add("n", -1);
        }
        if (more is var (name, value))
        {
            options.Add(name, value);
        }
        return VipsSource.Open(operation, source, length, options);
    }

    public static bool KnowsAnimation(ImageFormat format) => format is ImageFormat.Gif or ImageFormat.Webp;

    /// <summary>Checked on the header, before a pixel is decoded.</summary>
    public static CodecResult.Refused? TooManyPixels(Image image, long maxPixels)
    {
        int width = image.Width, height = image.PageHeight, frames = image.Pages;
        if (Math.Max(width, height) > CodecRequest.MaxSidePixels)
        {
            return new(CodecError.TooManyPixels, $"{width} x {height} pixels, a side of more than {CodecRequest.MaxSidePixels}");
        }
        return (Int128)width * height * frames <= maxPixels ? null : new(CodecError.TooManyPixels, string.Create(CultureInfo.InvariantCulture,
            $"{width} x {height} pixels{(frames > 1 ? $" in {frames} frames" : "")}, more than {maxPixels}"));
    }

    /// <summary>Turns the pixels as the EXIF tag says. Frames of an animation stand in one column, which cannot be turned as one.</summary>
    private static void TurnUpright(VipsPipeline pipeline)
    {
        var image = pipeline.Image;
        if (image.Orientation == 1 || image.Height != image.PageHeight)
        {
            return;
        }
        if (image.Orientation > 2)
        {
            // All but the mirror image read rows out of order, which sequential access cannot.
            pipeline.Replace(image.CopyMemory());
        }
        pipeline.Apply(turned => turned.Autorot());
    }
}
