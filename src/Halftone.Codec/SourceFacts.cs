namespace Halftone.Codec;

/// <summary>What the structure of a file says about its picture, before anything is decoded.</summary>
internal sealed class SourceFacts
{
    /// <summary>Frames of an animation: at ten a second, a quarter of an hour.</summary>
    public const int MaxFrames = 10_000;

    public required ImageFormat Format { get; init; }

    /// <summary>
    /// Frames that are shown one after the other; 1 for a picture. Of more than <see cref="MaxFrames"/>, one more than those.
    /// </summary>
    public int Frames { get; private init; } = 1;

    public bool IsAnimation => Frames > 1;

    /// <summary>A JPEG that was given its end marker: it is whole only where the decoder has nothing to say against it.</summary>
    public bool WasEnded { get; init; }

    public PngFacts? Png { get; private init; }

    public AvifFile? Avif { get; private init; }

    public TiffPages? Tiff { get; private init; }

    /// <summary>Which colours the numbers of a PNG or AVIF mean, where the file says so without a profile.</summary>
    public CodingColours? Coding => Png?.Coding ?? Avif?.Colours;

    public static SourceFacts Read(ReadOnlySpan<byte> source, ImageFormat format)
    {
        switch (format)
        {
            case ImageFormat.Png:
                var png = PngFacts.Read(source);
                return new SourceFacts { Format = format, Png = png, Frames = Math.Clamp(png?.Frames ?? 1, 1, MaxFrames + 1) };
            case ImageFormat.Gif:
                return new SourceFacts { Format = format, Frames = Math.Max(1, GifFrames.Count(source, MaxFrames)) };
            case ImageFormat.Webp:
                return new SourceFacts { Format = format, Frames = WebpFrames(source) };
            case ImageFormat.Avif:
                var avif = AvifFile.Read(source);
                return new SourceFacts { Format = format, Avif = avif, Frames = Math.Min(avif?.Frames ?? 1, MaxFrames + 1) };
            case ImageFormat.Tiff:
                return new SourceFacts { Format = format, Tiff = TiffPages.Read(source) };
            default:
                return new SourceFacts { Format = format };
        }
    }

    private static int WebpFrames(ReadOnlySpan<byte> source)
    {
        var frames = 0;
        var chunks = new RiffChunks(source.Length > 12 ? source[12..] : default);
        while (frames <= MaxFrames && chunks.Next())
        {
            frames += chunks.Name.SequenceEqual("ANMF"u8) ? 1 : 0;
        }

        return Math.Max(1, frames);
    }
}
