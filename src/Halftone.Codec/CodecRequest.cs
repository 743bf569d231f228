namespace Halftone.Codec;

/// <summary>What is wanted of one image.</summary>
public sealed record CodecRequest
{
    /// <summary>Encoder quality as libjpeg and libvips count it, 1 to 100; 50 by default.</summary>
    public int Q { get; init; } = 50;

    /// <summary>Output format; null keeps the format of the source (TIFF becomes JPEG).</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>
    /// Most pixels of the output from left to right as it is seen, 1 to <see cref="MaxSidePixels"/>; null, the default, is no bound. A
    /// larger image is
    /// shrunk into the box of both bounds and keeps its proportions, none is ever enlarged.
    /// </summary>
    public int? MaxWidth { get; init; }

    /// <summary>Most pixels of the output from top to bottom as it is seen, of one frame; as <see cref="MaxWidth"/> otherwise.</summary>
    public int? MaxHeight { get; init; }

    /// <summary>
    /// The longest side that the header of a JPEG can tell. A PNG of one pixel by ninety million is no picture, and costs half a minute or
    /// a gigabyte.
    /// </summary>
    public const int MaxSidePixels = 65_535;

    /// <summary>How a JPEG that stays a JPEG is written; <see cref="JpegStyle.Optimised"/>.</summary>
    public JpegStyle Jpeg { get; init; }

    /// <summary>
    /// How hard the WebP encoder tries, 0 (quick) to 6 (small), as libvips counts it; 3. Up to 4, lossy WebP that stays WebP, and
    /// JPEG that becomes WebP, go through our own encoder, which is quicker than 0 and as small as 3; 5 and 6 are libwebp's.
    /// </summary>
    public int WebpEffort { get; init; } = DefaultWebpEffort;

    /// <summary>How hard the AVIF encoder tries, 0 (quick) to 9 (small), as libvips counts it; 3.</summary>
    public int AvifEffort { get; init; } = DefaultAvifEffort;

    /// <summary>The bytes of effort 4, libvips's default, for a tenth less CPU (bench/results/vips-settings.md).</summary>
    public const int DefaultWebpEffort = 3;

    /// <summary>Above this effort libwebp makes smaller files than our own encoder.</summary>
    internal const int MaxOwnWebpEffort = 4;

    /// <summary>Effort 4, libvips's default, takes 4.5 times as long for 13 % fewer bytes (bench/results/vips-settings.md).</summary>
    public const int DefaultAvifEffort = 3;

    /// <summary>Limit on width × height × frames, read from the header before anything is decoded; 100,000,000 pixels.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>
    /// Copyright, creator, credit, licence and IPTC's digital source type survive as a minimal XMP; true. All other metadata is always
    /// dropped.
    /// </summary>
    public bool KeepsRights { get; init; } = true;

    internal SizeBox Box => new(MaxWidth, MaxHeight);
}
