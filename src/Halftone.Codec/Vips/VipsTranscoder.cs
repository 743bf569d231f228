using System.Buffers;
using System.Globalization;
using Halftone.Codec.Bare;
using Halftone.Codec.Png;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Decode and encode through libvips, for every format that is served, but for the palette of a PNG. The output is upright, of 8 bits a
/// sample,
/// without metadata, its colours by <see cref="ColourPolicy"/>.
/// </summary>
internal static class VipsTranscoder
{
    /// <param name="source">The whole file.</param>
    /// <param name="facts">Of it.</param>
    /// <param name="to">The output's format.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="isShrunk">Whether the output has fewer pixels than the source.</param>
    /// <exception cref="VipsException">The source is truncated or broken, or memory ran out.</exception>
    public static CodecResult Transcode(
        ReadOnlyMemory<byte> source, SourceFacts facts, ImageFormat to, CodecRequest request, out bool isShrunk)
    {
        isShrunk = false;
        if (facts.Png is { } png && (facts.IsAnimation || (png.Frames == 1 && !png.FirstFrameIsPicture)))
        {
            return OfFrames(source, facts, png, to, request, out isShrunk);
        }

        using var pinned = source.Pin();
        using var tiff = facts.Tiff is { } pages ? new TiffSource(source, pages.Picture) : null;
        using var pipeline = new VipsPipeline(OpenSource());
        if (TooManyPixels(pipeline.Image, request.MaxPixels) is { } refused)
        {
            return refused;
        }

        var wanted = VipsShrinker.Wanted(pipeline.Image, request.Box);
        if (wanted is null && facts.Coding is { IsHdr: true } && to == facts.Format && BareSource.Of(source, to) is { } bare)
        {
            // Eight bits would not hold it, and a smaller range would not look the same.
            using var decoded = pipeline.Image.Pixels();
            return new CodecResult.Compressed(bare, to, pipeline.Image.Width, pipeline.Image.Height, KeptOriginal: true)
            {
                Way = CodecWay.Copied,
            };
        }

        if (wanted is { } size && VipsShrinker.OnLoad(pipeline.Image, facts.Format, size) is { } option)
        {
            pipeline.Replace(Open(pinned, source.Length, facts.Format, to, option, facts.WasEnded));
        }

        tiff?.Prepare(pipeline);
        return Finish(pipeline, facts, to, request, source.Length, wanted, OpenSource, out isShrunk);

        Image OpenSource() => tiff?.Open() ?? Open(pinned, source.Length, facts.Format, to, isStrict: facts.WasEnded);
    }

    /// <summary>Pixels that were decoded here: of a BMP or an icon.</summary>
    /// <param name="bitmap">Them.</param>
    /// <param name="sourceBytes">Of the file.</param>
    /// <param name="to">The output's format; null for what suits the picture.</param>
    /// <param name="request">What is wanted.</param>
    public static CodecResult Transcode(BmpImage bitmap, int sourceBytes, ImageFormat? to, CodecRequest request)
    {
        var format = to ?? (bitmap.IsOfPalette || bitmap.Bands == 4 ? ImageFormat.Png : ImageFormat.Jpeg);
        using var pipeline = new VipsPipeline(OpenPixels());
        if (bitmap.Profile.Length > 0)
        {
            pipeline.Apply(image => image.Mutate(copy => copy.Set(GValue.BlobType, ImageFields.Profile, bitmap.Profile)));
        }

        return Finish(
            pipeline,
            new SourceFacts { Format = ImageFormat.Bmp },
            format,
            request,
            sourceBytes,
            VipsShrinker.Wanted(pipeline.Image, request.Box),
            OpenPixels,
            out _);

        Image OpenPixels() => Image.FromPixels(bitmap.Samples, bitmap.Width, bitmap.Height, bitmap.Bands);
    }

    /// <summary>
    /// An animated PNG becomes an animation of another format; one of a single frame beside a picture that is not it, that frame.
    /// </summary>
    private static CodecResult OfFrames(
        ReadOnlyMemory<byte> source, SourceFacts facts, PngFacts png, ImageFormat to, CodecRequest request, out bool isShrunk)
    {
        isShrunk = false;
        if ((long)png.Width * png.Height > PaintedFrames.MostPixels / facts.Frames)
        {
            return new CodecResult.Refused(
                CodecError.TooManyPixels,
                $"{png.Width} x {png.Height} pixels in {facts.Frames} frames, more than {PaintedFrames.MostPixels}");
        }

        if (PngAnimation.Read(source.Span, png) is not { } frames)
        {
            return new CodecResult.Refused(CodecError.CorruptImage, "a frame of the animation is broken or missing");
        }

        using var pinned = source.Pin();
        using var first = Open(pinned, source.Length, facts.Format, facts.Format);
        using var painted = new PaintedFrames(png, frames);
        using var pipeline = new VipsPipeline(OpenFrames());
        return Finish(
            pipeline, facts, to, request, source.Length, VipsShrinker.Wanted(pipeline.Image, request.Box), OpenFrames, out isShrunk);

        Image OpenFrames() => painted.Open(png, frames, first.ColourProfile);
    }

    /// <summary>From the opened picture to the file: size, orientation, colours, encoder, and a look at what came of it.</summary>
    private static CodecResult Finish(
        VipsPipeline pipeline, SourceFacts facts, ImageFormat to, CodecRequest request, double sourceBytes, (int Width, int Height)? wanted,
        Func<Image> openSource, out bool isShrunk)
    {
        using var frames = new FrameRoll();
        isShrunk = wanted is not null;
        if (wanted is { } size)
        {
            // As many of the source's bytes as belong to the pixels that are left.
            sourceBytes *= (double)size.Width * size.Height / ((double)pipeline.Image.Width * pipeline.Image.PageHeight);
            VipsShrinker.Shrink(pipeline, size, frames);
        }

        using var turned = new FrameRoll();
        TurnUpright(pipeline, turned);
        var keepsProfile = ColourPolicy.Apply(pipeline, facts, to);
        if (to == ImageFormat.Jpeg && pipeline.Image.HasAlpha())
        {
            // JPEG has no transparency; shops show products on white.
            pipeline.Apply(flat => flat.Flatten(background: [255]));
        }

        var image = pipeline.Image;
        if (Math.Max(image.Width, image.PageHeight) > LongestSide(to))
        {
            return new CodecResult.Refused(
                CodecError.TooManyPixels,
                $"{image.Width} x {image.PageHeight} pixels, a side of more than {LongestSide(to)}, the longest of {to}");
        }

        // libvips encodes; only a PNG's palette is our own, for a fifth of the CPU.
        var hasOurPalette = to == ImageFormat.Png && image is { Format: Enums.BandFormat.Uchar, Bands: <= 4 };
        var body = hasOurPalette
            ? EncodePalette(image, request.Q, keepsProfile, (long)sourceBytes)
            : VipsSaver.Save(image, to, request, keepsProfile);
        if ((OutputGuard.LostFrames(body, to, image, openSource)
            ?? OutputGuard.OneColourOfMany(body, to, (long)image.Width * image.Height, openSource)) is { } wrong)
        {
            return new CodecResult.Refused(CodecError.WrongOutput, wrong);
        }

        return new CodecResult.Compressed(body, to, image.Width, image.PageHeight, KeptOriginal: false)
        {
            Way = hasOurPalette ? CodecWay.Palette : CodecWay.LibVips,
        };
    }

    /// <summary>Whether a file is decoded to its last pixel without a fault.</summary>
    public static bool Decodes(ReadOnlyMemory<byte> file, ImageFormat format)
    {
        try
        {
            using var pinned = file.Pin();
            using var image = Open(pinned, file.Length, format, format);
            using var pixels = image.Pixels();
            return true;
        }
        catch (VipsException)
        {
            return false;
        }
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
        return PaletteEncoder.OfThisThread.Encode(
            grid, PaletteSettings.ForQuality(q), keepsProfile ? image.ColourProfile : [], sourceBytes);
    }

    /// <summary>Reads the header. All frames are taken where both formats know animation; else the first.</summary>
    /// <param name="source">The file, pinned.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="from">Its format.</param>
    /// <param name="to">The output's format.</param>
    /// <param name="more">A further option of the loader.</param>
    /// <param name="isStrict">Warnings are errors.</param>
    public static Image Open(
        MemoryHandle source, int length, ImageFormat from, ImageFormat to, (string Name, object Value)? more = null, bool isStrict = false)
    {
        var operation = from switch
        {
            ImageFormat.Jpeg => "jpegload_buffer",
            ImageFormat.Png => "pngload_buffer",
            ImageFormat.Webp => "webpload_buffer",
            ImageFormat.Gif => "gifload_buffer",
            ImageFormat.Avif => "heifload_buffer",
            _ => throw new ArgumentOutOfRangeException(nameof(from)),
        };
        // Sequential: rows are decoded as the encoder asks for them, so a large image is never whole in memory.
        var options = new VOption
        {
            { "access", Enums.Access.Sequential },
            { "fail_on", isStrict ? Enums.FailOn.Warning : Enums.FailOn.Error },
        };
        if (from is ImageFormat.Webp or ImageFormat.Avif)
        {
            // These two loaders cannot do that, and would put what has more than 100 MB into a temporary file of libvips's own format,
            // whose writer is shut.
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
        // Of several pages only what is decoded counts.
        int width = image.Width, height = image.PageHeight, frames = image.Height / image.PageHeight;
        if (Math.Max(width, height) > CodecRequest.MaxSidePixels)
        {
            return new(CodecError.TooManyPixels, $"{width} x {height} pixels, a side of more than {CodecRequest.MaxSidePixels}");
        }

        return (Int128)width * height * frames <= maxPixels
            ? null
            : new(CodecError.TooManyPixels, string.Create(CultureInfo.InvariantCulture,
                $"{width} x {height} pixels{(frames > 1 ? $" in {frames} frames" : "")}, more than {maxPixels}"));
    }

    /// <summary>Turns the pixels as the EXIF tag says, of an animation frame by frame.</summary>
    private static void TurnUpright(VipsPipeline pipeline, FrameRoll turned)
    {
        var image = pipeline.Image;
        if (image.Orientation == 1)
        {
            return;
        }

        if (image.Height != image.PageHeight)
        {
            pipeline.Replace(turned.Turn(image));
            return;
        }

        if (image.Orientation > 2)
        {
            // All but the mirror image read rows out of order, which sequential access cannot.
            pipeline.Replace(image.CopyMemory());
        }

        pipeline.Apply(lying => lying.Autorot());
    }
}
