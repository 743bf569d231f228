namespace Halftone.Codec;

/// <summary>Counts the frames of a GIF by its blocks (GIF89a, sections 18 to 27) and decodes none: libvips takes half a minute to do so for a hundred thousand.</summary>
internal static class GifFrames
{
    private const byte Extension = 0x21, Image = 0x2C;
    private const int HeaderBytes = 13, ImageBytes = 10;

    /// <returns>The frames before the end or before what is no block; not more than <paramref name="most"/> are counted, and one more.</returns>
    public static int Count(ReadOnlySpan<byte> source, int most)
    {
        if (source.Length < HeaderBytes)
        {
            return 0;
        }
        var frames = 0;
        var at = HeaderBytes + ColourTableBytes(source[10]);
        while (frames <= most && at + 2 < source.Length)
        {
            switch (source[at])
            {
                case Extension:
                    at += 2;
                    break;
                case Image when at + ImageBytes < source.Length:
                    frames++;
                    at += ImageBytes + ColourTableBytes(source[at + 9]) + 1; // and the code size
                    break;
                default:
                    return frames;
            }
            at = BehindSubBlocks(source, at);
        }
        return frames;
    }

    private static int ColourTableBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    private static int BehindSubBlocks(ReadOnlySpan<byte> source, int at)
    {
        while (at < source.Length && source[at] != 0)
        {
            at += source[at] + 1;
        }
        return at + 1;
    }
}
