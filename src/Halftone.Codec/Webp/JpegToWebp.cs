using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>JPEG to lossy WebP without RGB: the JPEG's own luma and chroma, in the range of VP8, are encoded.</summary>
internal static class JpegToWebp
{
    private const int KeptBytes = 32 << 20, MaxSide = 16_383;

    [ThreadStatic]
    private static JpegWorkspace? jpeg;

    [ThreadStatic]
    private static WebpWorkspace? webp;

    [ThreadStatic]
    private static NativeBuffer<MacroblockModes>? modes;

    /// <summary>Transcodes one file. Any bytes may be given.</summary>
    /// <param name="source">The whole file.</param>
    /// <param name="q">Quality as libwebp counts it, 1 to 100.</param>
    /// <param name="maxPixels">Limit on width × height, checked before anything is decoded.</param>
    /// <param name="corrupt">What is wrong with the file, where that is certain.</param>
    /// <returns>Null where the file is corrupt, or one for libvips.</returns>
    public static WebpTranscodeResult.Done? Transcode(ReadOnlySpan<byte> source, int q, long maxPixels,
        out JpegTranscodeResult.Corrupt? corrupt)
    {
        if (JpegHeader.Read(source, maxPixels, out var refusal) is not { } header)
        {
            corrupt = refusal as JpegTranscodeResult.Corrupt;
            return null;
        }

        (jpeg, webp, modes) = (jpeg ?? new JpegWorkspace(), webp ?? new WebpWorkspace(), modes ?? new NativeBuffer<MacroblockModes>());
        try
        {
            return Transcode(source, header, q, out corrupt);
        }
        finally
        {
            jpeg.Trim();
            webp.Trim(KeptBytes);
            modes.Trim(KeptBytes);
        }
    }

    /// <summary>Whether a file is upright and has a size that WebP holds, so that it is worth a try.</summary>
    public static bool IsFor(ReadOnlySpan<byte> source, long maxPixels, SizeBox box) =>
        JpegHeader.Read(source, maxPixels, out _) is { } header && header.Metadata.Orientation == 1
        && (header.Metadata.Profile is null || header.Frame.Components.Length == 3)
        && Math.Max(header.Frame.WidthPixels, header.Frame.HeightPixels) <= MaxSide
            && box.Holds(header.Frame.WidthPixels, header.Frame.HeightPixels);

    private static WebpTranscodeResult.Done? Transcode(ReadOnlySpan<byte> source, JpegHeader header, int q,
        out JpegTranscodeResult.Corrupt? corrupt)
    {
        corrupt = null;
        if (JpegSamples.For(header.Frame, webp!.Planes) is not { } samples)
        {
            return null;
        }

        if (new JpegCoefficients(jpeg!, header, samples).Read(source) is { } refusal)
        {
            corrupt = refusal as JpegTranscodeResult.Corrupt;
            return null;
        }

        samples.Finish();
        int width = header.Frame.WidthPixels, height = header.Frame.HeightPixels,
            macroblocks = webp.Planes.BlocksWide * webp.Planes.BlocksHigh;
        modes!.Reserve(macroblocks);
        var own = modes.Slice(0, macroblocks);
        webp.Segmenter.Plan(webp.Planes, own, q, webp.Plan);
        var frame = webp.Encoder.Encode(webp.Planes, width, height, webp.Plan, own);
        return frame is null ? null : new WebpTranscodeResult.Done(WebpFile.Write(frame, default, header.Metadata.Profile, width,
            height), width, height);
    }
}
