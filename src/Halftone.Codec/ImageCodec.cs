using Halftone.Codec.Jpeg;
using Halftone.Codec.Vips;
using Halftone.Codec.Webp;
using NetVips;

namespace Halftone.Codec;

/// <summary>Bytes in, bytes out: no I/O, no configuration. Any number of threads may call it.</summary>
public static class ImageCodec
{
    /// <summary>Frames of an animation: at ten a second, a quarter of an hour.</summary>
    private const int MaxFrames = 10_000;

    /// <summary>
    /// Goes up whenever an image is to have another output than before: outputs that were made by another version are not taken over. A test tells when it
    /// was forgotten.
    /// </summary>
    public const int OutputVersion = 2;

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
    /// <param name="request">What is wanted. <see cref="ImageFormat.Tiff"/> cannot be asked for.</param>
    public static CodecResult Compress(ReadOnlyMemory<byte> source, CodecRequest request)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(request.Q, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.Q, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)request.WebpEffort, 6u);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)request.AvifEffort, 9u);
        ArgumentOutOfRangeException.ThrowIfEqual((int?)request.Format ?? 0, (int)ImageFormat.Tiff);
        ThrowIfNoSide(request.MaxWidth);
        ThrowIfNoSide(request.MaxHeight);

        var sniffed = SourceSniffer.Sniff(source.Span);
        if (sniffed.Format is not { } from)
        {
            return new CodecResult.Refused(sniffed.Error, sniffed.Description);
        }
        if (from == ImageFormat.Png && PngChunks.IsAnimated(source.Span))
        {
            // libvips knows the first frame alone; better no output than one that stands still.
            return new CodecResult.Refused(CodecError.UnsupportedFormat, "an animated PNG image");
        }
        if (from == ImageFormat.Gif && GifFrames.Count(source.Span, MaxFrames) > MaxFrames)
        {
            return new CodecResult.Refused(CodecError.TooManyPixels, $"more than {MaxFrames} frames");
        }
        if (from == ImageFormat.Gif && GifFrames.IsCut(source.Span))
        {
            return new CodecResult.Refused(CodecError.CorruptImage, "the file ends within a frame");
        }
        var to = request.Format ?? (from == ImageFormat.Tiff ? ImageFormat.Jpeg : from);
        try
        {
            JpegNotTaken? notTaken = null;
            if (from == ImageFormat.Jpeg
                && (to == from ? InDctDomain(source, request, out notTaken) : to == ImageFormat.Webp ? ToWebp(source, request) : Broken(source, request)) is { } direct)
            {
                return direct;
            }
            if (from == ImageFormat.Webp && to == from && InPlanes(source, request) is { } inPlanes)
            {
                return inPlanes;
            }
            Initialize();
            var result = VipsTranscoder.Transcode(source, from, to, request, out var isShrunk);
            // A source that was too large is no answer, though it may well have fewer bytes: a drawing of few colours gets many at its new edges.
            return isShrunk ? With(result, notTaken) : OriginalIfSmaller(With(result, notTaken), source, from);
        }
        catch (VipsException exception)
        {
            return new CodecResult.Refused(
                VipsFailure.IsOutOfMemory(exception) ? CodecError.CodecOutOfMemory : CodecError.CorruptImage, VipsFailure.Describe(exception));
        }
        catch (OutOfMemoryException)
        {
            return new CodecResult.Refused(CodecError.CodecOutOfMemory, "out of memory");
        }
    }

    /// <summary>JPEG to JPEG without decoding to pixels; null where the file is one for libvips.</summary>
    private static CodecResult? InDctDomain(ReadOnlyMemory<byte> source, CodecRequest request, out JpegNotTaken? notTaken)
    {
        var result = JpegTranscoder.Transcode(source.Span, request.Q, request.MaxPixels, request.Box);
        notTaken = (result as JpegTranscodeResult.NotTaken)?.Reason;
        return result switch
        {
            JpegTranscodeResult.Done done => new CodecResult.Compressed(done.Body, ImageFormat.Jpeg, done.WidthPixels, done.HeightPixels, KeptOriginal: false) { Way = CodecWay.DctDomain },
            JpegTranscodeResult.KeepOriginal kept => new CodecResult.Compressed(source, ImageFormat.Jpeg, kept.WidthPixels, kept.HeightPixels, KeptOriginal: true) { Way = CodecWay.DctDomain },
            JpegTranscodeResult.Corrupt corrupt => Corrupt(corrupt),
            JpegTranscodeResult.TooManyPixels large => new CodecResult.Refused(
                CodecError.TooManyPixels, $"{large.WidthPixels} x {large.HeightPixels} pixels, more than {request.MaxPixels}"),
            _ => null,
        };
    }

    /// <summary>WebP to WebP without RGB; null where the file is one for libvips.</summary>
    private static CodecResult? InPlanes(ReadOnlyMemory<byte> source, CodecRequest request) =>
        request.WebpEffort <= CodecRequest.MaxOwnWebpEffort
        && WebpTranscoder.Transcode(source.Span, request.Q, request.MaxPixels, request.Box) is WebpTranscodeResult.Done done
            ? OriginalIfSmaller(Made(done), source, ImageFormat.Webp) : null;

    /// <summary>JPEG to WebP without RGB; null where the file is one for libvips.</summary>
    private static CodecResult? ToWebp(ReadOnlyMemory<byte> source, CodecRequest request)
    {
        if (request.WebpEffort > CodecRequest.MaxOwnWebpEffort || !JpegToWebp.IsFor(source.Span, request.MaxPixels, request.Box))
        {
            return Broken(source, request);
        }
        var done = JpegToWebp.Transcode(source.Span, request.Q, request.MaxPixels, out var corrupt);
        return done is not null ? Made(done) : corrupt is not null ? Corrupt(corrupt) : null;
    }

    private static CodecResult.Compressed Made(WebpTranscodeResult.Done done) =>
        new(done.Body, ImageFormat.Webp, done.WidthPixels, done.HeightPixels, KeptOriginal: false) { Way = CodecWay.Planes };

    /// <summary>libjpeg passes scans that our decoder finds broken, often without a warning, and half of the picture is grey.</summary>
    private static CodecResult.Refused? Broken(ReadOnlyMemory<byte> source, CodecRequest request) =>
        JpegTranscoder.Check(source.Span, request.MaxPixels) is { } corrupt ? Corrupt(corrupt) : null;

    private static CodecResult.Refused Corrupt(JpegTranscodeResult.Corrupt corrupt) => new(CodecError.CorruptImage, corrupt.Detail);

    private static CodecResult With(CodecResult result, JpegNotTaken? notTaken) => result is CodecResult.Compressed output ? output with { NotTaken = notTaken } : result;

    /// <summary>An output that saves nothing is replaced by its source, where that is of the same format and holds nothing but the picture.</summary>
    private static CodecResult OriginalIfSmaller(CodecResult result, ReadOnlyMemory<byte> source, ImageFormat from) =>
        result is CodecResult.Compressed output && output.Format == from && output.Body.Length >= source.Length && CleanSource.Is(source.Span, from)
            ? output with { Body = source, KeptOriginal = true }
            : result;

    private static void ThrowIfNoSide(int? pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pixels ?? 1, 1, nameof(pixels));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pixels ?? 1, CodecRequest.MaxSidePixels, nameof(pixels));
    }
}
