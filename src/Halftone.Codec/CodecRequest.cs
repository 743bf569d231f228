namespace Halftone.Codec;

/// <summary>What is wanted of one image.</summary>
public sealed record CodecRequest
{
    /// <summary>Encoder quality as libjpeg and libvips count it, 1 to 100; 50 by default.</summary>
    public int Q { get; init; } = 50;

    /// <summary>Output format; null keeps the format of the source (TIFF becomes JPEG).</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>Limit on width × height × frames, read from the header before anything is decoded; 100,000,000 pixels.</summary>
    public long MaxPixels { get; init; } = 100_000_000;
}
