using Halftone.Codec.Bare;
using Halftone.Codec.Jpeg;
using Halftone.Codec.Metadata;
using Halftone.Codec.Vips;
using Halftone.Codec.Webp;
using NetVips;

namespace Halftone.Codec;

/// <summary>Bytes in, bytes out: no I/O, no configuration. Any number of threads may call it.</summary>
public static class ImageCodec
{
    /// <summary>
    /// Goes up whenever an image is to have another output than before: outputs that were made by another version are not taken over. A
    /// test tells when it
    /// was forgotten.
    /// </summary>
    public const int OutputVersion = 4;

    /// <summary>Loads libvips, so that the first image does not wait for it.</summary>
    /// <returns>The version of libvips.</returns>
    /// <exception cref="LibVipsMissingException">There is none; the message is a sentence for people.</exception>
    public static Version Initialize() => VipsStartup.Version;

    /// <summary>Starts libvips and compresses a small picture in each of the usual formats, so that code is loaded and compiled.</summary>
    /// <exception cref="LibVipsMissingException">There is none; the message is a sentence for people.</exception>
    public static void Warm()
    {
        const int Side = 48;
        Initialize();
        var gradient = new byte[Side * Side * 3];
        for (var i = 0; i < gradient.Length; i++)
        {
            gradient[i] = (byte)i;
        }

        using var image = Image.FromPixels(gradient, Side, Side, 3);
        foreach (var format in (ReadOnlySpan<ImageFormat>)[ImageFormat.Jpeg, ImageFormat.Png, ImageFormat.Webp])
        {
            Compress(VipsSaver.Save(image, format, new CodecRequest { Q = 90 }, keepsProfile: false), new CodecRequest());
        }
    }

    /// <summary>Compresses one image to a quality; the format stays unless the request names another.</summary>
    /// <param name="source">A whole file; not changed, and not used after the return unless it is the result itself.</param>
    /// <param name="request">What is wanted. <see cref="ImageFormat.Tiff"/> and what follows it cannot be asked for.</param>
    public static CodecResult Compress(ReadOnlyMemory<byte> source, CodecRequest request)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(request.Q, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.Q, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)request.WebpEffort, 6u);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)request.AvifEffort, 9u);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)request.Jpeg, (uint)JpegStyle.Classic);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int?)request.Format ?? 0, (int)ImageFormat.Avif);
        ThrowIfNoSide(request.MaxWidth);
        ThrowIfNoSide(request.MaxHeight);

        var sniffed = SourceSniffer.Sniff(source.Span);
        if (sniffed.Format is not { } from)
        {
            return new CodecResult.Refused(sniffed.Error, sniffed.Description);
        }

        try
        {
            if (from == ImageFormat.Ico)
            {
                return OfIcon(source, request);
            }

            if (from == ImageFormat.Bmp)
            {
                return OfBitmap(source, BmpImage.ReadHeader(source.Span), header => BmpImage.Decode(source.Span, header), request);
            }

            var facts = SourceFacts.Read(source.Span, from);
            var to = request.Format ?? DefaultFormat(facts);
            return Refusal(source.Span, facts, to, request) ?? WithRights(Make(source, facts, to, request), source, from, request);
        }
        catch (VipsException exception)
        {
            return Failed(exception, source.Span, from);
        }
        catch (OutOfMemoryException)
        {
            return new CodecResult.Refused(CodecError.CodecOutOfMemory, "out of memory");
        }
    }

    /// <summary>
    /// The format of an output where none is asked for. What cannot be written becomes JPEG, and PNG where it is a drawing.
    /// </summary>
    private static ImageFormat DefaultFormat(SourceFacts facts) => facts.Format switch
    {
        ImageFormat.Tiff => facts.Tiff?.Picture.IsTwoColour == true ? ImageFormat.Png : ImageFormat.Jpeg,
        var same => same,
    };

    /// <summary>What the file's structure says against it, before anything is decoded; null where nothing does.</summary>
    private static CodecResult.Refused? Refusal(ReadOnlySpan<byte> source, SourceFacts facts, ImageFormat to, CodecRequest request)
    {
        if (facts.Frames > SourceFacts.MaxFrames)
        {
            return new(CodecError.TooManyPixels, $"more than {SourceFacts.MaxFrames} frames");
        }

        if (facts.Format == ImageFormat.Gif && GifFrames.IsCut(source))
        {
            return new(CodecError.CorruptImage, "the file ends within a frame");
        }

        if (facts is { Format: ImageFormat.Tiff, Tiff: null })
        {
            return new(CodecError.CorruptImage, "no directory of the file is whole");
        }

        if (facts.Tiff is { } tiff && UnservedKind.OfTiff(tiff) is { } kind)
        {
            return new(CodecError.UnsupportedFormat, kind);
        }

        return facts.IsAnimation ? AnimationRefusal(facts, to, request) : null;
    }

    /// <summary>An animation is written whole or not at all: one that stands still is another picture.</summary>
    private static CodecResult.Refused? AnimationRefusal(SourceFacts facts, ImageFormat to, CodecRequest request)
    {
        var (width, height) = facts.Png is { } png ? (png.Width, png.Height) : facts.Avif?.ShownSize ?? (0, 0);
        if ((Int128)width * height * facts.Frames > request.MaxPixels)
        {
            return new(CodecError.TooManyPixels, $"{width} x {height} pixels in {facts.Frames} frames, more than {request.MaxPixels}");
        }

        if (to is ImageFormat.Webp or ImageFormat.Gif && facts.Format != ImageFormat.Avif)
        {
            return null;
        }

        if (to != facts.Format)
        {
            return new(CodecError.AnimationUnsupported, facts.Format == ImageFormat.Avif
                ? $"an animated AVIF of {facts.Frames} frames is passed on as AVIF, and cannot become {to}"
                : $"an animation of {facts.Frames} frames cannot become {to}: ask for WebP or GIF");
        }

        return request.Box.Holds(width, height)
            ? null
            : new(
                CodecError.AnimationUnsupported,
                $"an animated {to} of {width} x {height} pixels cannot be made smaller"
                    + $"{(to == ImageFormat.Png ? ": ask for WebP or GIF" : "")}");
    }

    private static CodecResult Make(ReadOnlyMemory<byte> source, SourceFacts facts, ImageFormat to, CodecRequest request)
    {
        var from = facts.Format;
        JpegNotTaken? notTaken = null;
        if (from == ImageFormat.Jpeg && OfJpeg(source, to, request, out notTaken) is { } direct)
        {
            return direct;
        }

        if (from == ImageFormat.Webp && to == from && InPlanes(source, request) is { } inPlanes)
        {
            return inPlanes;
        }

        if (facts.IsAnimation && to == from && from is ImageFormat.Png or ImageFormat.Avif)
        {
            return PassedOn(source, facts);
        }

        if (from == ImageFormat.Jpeg && !BareJpeg.HasEnd(source.Span))
        {
            (source, facts) = ((byte[])[.. source.Span, 0xFF, Marker.Eoi], new SourceFacts { Format = from, WasEnded = true });
        }

        Initialize();
        var result = VipsTranscoder.Transcode(source, facts, to, request, out var isShrunk);
        // A source that was too large is no answer, though it may well have fewer bytes: a drawing of few colours gets many at its new
        // edges.
        return isShrunk ? With(result, notTaken) : SmallerOf(With(result, notTaken), source, from);
    }

    /// <summary>An animation that is not encoded again: its frames are looked at, and it goes on without its metadata.</summary>
    private static CodecResult PassedOn(ReadOnlyMemory<byte> source, SourceFacts facts)
    {
        var isWhole = facts.Png is not { } png || PngAnimation.Read(source.Span, png, canPaint: false) is not null;
        if (!isWhole || BareSource.Of(source, facts.Format) is not { } bare)
        {
            return new CodecResult.Refused(CodecError.CorruptImage, "the file ends within its animation, or a frame of it is broken");
        }

        var (width, height) = facts.Png is { } known ? (known.Width, known.Height) : facts.Avif!.ShownSize;
        return new CodecResult.Compressed(bare, facts.Format, width, height, KeptOriginal: true) { Way = CodecWay.Copied };
    }

    /// <summary>The largest picture of an icon becomes a PNG.</summary>
    private static CodecResult OfIcon(ReadOnlyMemory<byte> source, CodecRequest request)
    {
        if (IconFile.Largest(source.Span) is not { } place)
        {
            return new CodecResult.Refused(CodecError.CorruptImage, "no picture of the icon is whole");
        }

        var picture = source[place];
        if (SourceSniffer.Sniff(picture.Span).Format == ImageFormat.Png)
        {
            var inner = Compress(picture, request with { Format = request.Format ?? ImageFormat.Png });
            return inner is CodecResult.Compressed output ? output with { KeptOriginal = false } : inner;
        }

        return OfBitmap(
            source,
            BmpImage.ReadHeader(picture.Span, 0, isIcon: true),
            header => BmpImage.DecodeIcon(picture.Span, header),
            request with { Format = request.Format ?? ImageFormat.Png });
    }

    private static CodecResult OfBitmap(
        ReadOnlyMemory<byte> source, BmpImage.Header? header, Func<BmpImage.Header, BmpImage?> decode, CodecRequest request)
    {
        if (header is not { } known)
        {
            return new CodecResult.Refused(CodecError.CorruptImage, "the bitmap's header is broken");
        }

        if (BmpImage.Unserved(known) is { } unserved)
        {
            return new CodecResult.Refused(CodecError.UnsupportedFormat, unserved);
        }

        var most = Math.Min(request.MaxPixels, BmpImage.MostPixels);
        if (Math.Max(known.Width, known.Height) > CodecRequest.MaxSidePixels || (long)known.Width * known.Height > most)
        {
            return new CodecResult.Refused(CodecError.TooManyPixels, $"{known.Width} x {known.Height} pixels, more than {most}");
        }

        if (decode(known) is not { } bitmap)
        {
            return new CodecResult.Refused(CodecError.CorruptImage, "the file ends within its pixels");
        }

        Initialize();
        return VipsTranscoder.Transcode(bitmap, source.Length, request.Format, request);
    }

    private static CodecResult? OfJpeg(ReadOnlyMemory<byte> source, ImageFormat to, CodecRequest request, out JpegNotTaken? notTaken)
    {
        notTaken = null;
        return to switch
        {
            ImageFormat.Jpeg => InDctDomain(source, request, out notTaken),
            ImageFormat.Webp => ToWebp(source, request),
            _ => Broken(source, request),
        };
    }

    /// <summary>WebP to WebP without RGB; null where the file is one for libvips.</summary>
    private static CodecResult? InPlanes(ReadOnlyMemory<byte> source, CodecRequest request) =>
        request.WebpEffort <= CodecRequest.MaxOwnWebpEffort
        && WebpTranscoder.Transcode(source.Span, request.Q, request.MaxPixels, request.Box) is WebpTranscodeResult.Done done
            ? SmallerOf(Made(done), source, ImageFormat.Webp)
            : null;

    /// <summary>JPEG to WebP without RGB; null where the file is one for libvips.</summary>
    private static CodecResult? ToWebp(ReadOnlyMemory<byte> source, CodecRequest request)
    {
        // A file without its end marker is ended for libvips.
        if (request.WebpEffort > CodecRequest.MaxOwnWebpEffort
            || !BareJpeg.HasEnd(source.Span)
            || !JpegToWebp.IsFor(source.Span, request.MaxPixels, request.Box))
        {
            return Broken(source, request);
        }

        var done = JpegToWebp.Transcode(source.Span, request.Q, request.MaxPixels, out var corrupt);
        return done is not null ? Made(done) : corrupt is not null ? Corrupt(corrupt) : null;
    }

    private static CodecResult.Compressed Made(WebpTranscodeResult.Done done) =>
        new(done.Body, ImageFormat.Webp, done.WidthPixels, done.HeightPixels, KeptOriginal: false) { Way = CodecWay.Planes };

    /// <summary>JPEG to JPEG without decoding to pixels; null where the file is one for libvips.</summary>
    private static CodecResult? InDctDomain(ReadOnlyMemory<byte> source, CodecRequest request, out JpegNotTaken? notTaken)
    {
        var result = JpegTranscoder.Transcode(source.Span, request.Q, request.MaxPixels, request.Box, request.Jpeg);
        notTaken = (result as JpegTranscodeResult.NotTaken)?.Reason;
        return result switch
        {
            JpegTranscodeResult.Done done =>
                new CodecResult.Compressed(done.Body, ImageFormat.Jpeg, done.WidthPixels, done.HeightPixels, KeptOriginal: done.IsCopy)
                {
                    Way = CodecWay.DctDomain,
                },
            JpegTranscodeResult.KeepOriginal kept =>
                new CodecResult.Compressed(source, ImageFormat.Jpeg, kept.WidthPixels, kept.HeightPixels, KeptOriginal: true)
                {
                    Way = CodecWay.DctDomain,
                },
            JpegTranscodeResult.Corrupt corrupt => Corrupt(corrupt),
            JpegTranscodeResult.TooManyPixels large => new CodecResult.Refused(
                CodecError.TooManyPixels, $"{large.WidthPixels} x {large.HeightPixels} pixels, more than {request.MaxPixels}"),
            _ => null,
        };
    }

    /// <summary>libjpeg passes scans that our decoder finds broken, often without a warning, and half of the picture is grey.</summary>
    private static CodecResult.Refused? Broken(ReadOnlyMemory<byte> source, CodecRequest request) =>
        JpegTranscoder.Check(source.Span, request.MaxPixels) is { } corrupt ? Corrupt(corrupt) : null;

    private static CodecResult.Refused Corrupt(JpegTranscodeResult.Corrupt corrupt) => new(CodecError.CorruptImage, corrupt.Detail);

    /// <summary>The decoder has given up: out of memory, over a kind that it does not know, or over what is broken.</summary>
    private static CodecResult.Refused Failed(VipsException exception, ReadOnlySpan<byte> source, ImageFormat from)
    {
        var detail = VipsFailure.Describe(exception);
        if (VipsFailure.IsOutOfMemory(exception))
        {
            return new(CodecError.CodecOutOfMemory, detail);
        }

        var kind = from switch
        {
            ImageFormat.Jpeg => UnservedKind.OfJpeg(source),
            ImageFormat.Tiff => TiffPages.Read(source) is { } tiff ? UnservedKind.ByCompression(tiff) : null,
            _ => null,
        };
        return kind is null ? new(CodecError.CorruptImage, detail) : new(CodecError.UnsupportedFormat, kind);
    }

    private static CodecResult With(CodecResult result, JpegNotTaken? notTaken) =>
        result is CodecResult.Compressed output ? output with { NotTaken = notTaken } : result;

    /// <summary>
    /// Where encoding again saves nothing, the source without its metadata takes the output's place: it has the better picture and fewer
    /// bytes.
    /// </summary>
    private static CodecResult SmallerOf(CodecResult result, ReadOnlyMemory<byte> source, ImageFormat from) =>
        result is CodecResult.Compressed output
            && output.Format == from
            && BareSource.Of(source, from) is { } bare
            && output.Body.Length >= bare.Length
            && (bare.Equals(source) || VipsTranscoder.Decodes(bare, from))
            ? output with { Body = bare, KeptOriginal = true }
            : result;

    /// <summary>Puts in what the source says of rights, unless that would make the output larger than its source.</summary>
    private static CodecResult WithRights(CodecResult result, ReadOnlyMemory<byte> source, ImageFormat from, CodecRequest request)
    {
        if (!request.KeepsRights
            || result is not CodecResult.Compressed output
            || RightsReader.Read(source.Span, from) is not { Length: > 0 } xmp)
        {
            return result;
        }

        return BareSource.Of(output.Body, output.Format, xmp) is { } told && (told.Length <= source.Length || output.Format != from)
            ? output with { Body = told }
            : result;
    }

    private static void ThrowIfNoSide(int? pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pixels ?? 1, 1, nameof(pixels));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pixels ?? 1, CodecRequest.MaxSidePixels, nameof(pixels));
    }
}
