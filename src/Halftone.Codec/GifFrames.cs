namespace Halftone.Codec;

/// <summary>
/// Counts the frames of a GIF by its blocks (GIF89a, sections 18 to 27) and decodes none: libvips takes half a minute to do so for a
/// hundred thousand.
/// </summary>
internal static class GifFrames
{
    private const byte Extension = 0x21, Image = 0x2C;
    private const int HeaderBytes = 13, ImageBytes = 10;

    /// <returns>The frames before the end or before what is no block; not more than <paramref name="most"/> are counted, and one
    /// more.</returns>
    public static int Count(ReadOnlySpan<byte> source, int most) => Walk(source, most).Frames;

    /// <summary>
    /// Whether the file ends within a block, so that a frame is missing or has a part of its pixels. Of an animation libvips shows the
    /// frames before it, as
    /// if there were no more. A file without its last byte, which says that it ends, is whole for everybody.
    /// </summary>
    public static bool IsCut(ReadOnlySpan<byte> source) => Walk(source, int.MaxValue - 1).End > source.Length;

    /// <returns>Beside the frames, where the walk ended: at the end mark, at what is no block, or behind the file's end, where a block
    /// needs more of it.</returns>
    private static (int Frames, long End) Walk(ReadOnlySpan<byte> source, int most)
    {
        if (source.Length < HeaderBytes)
        {
            return (0, HeaderBytes);
        }

        var frames = 0;
        var at = HeaderBytes + ColourTableBytes(source[10]);
        while (frames <= most && at < source.Length)
        {
            switch (source[at])
            {
                case Extension:
                    at += 2;
                    break;
                case Image when at + ImageBytes >= source.Length:
                    return (frames, source.Length + 1L);
                case Image:
                    frames++;
                    at += ImageBytes + ColourTableBytes(source[at + 9]) + 1; // and the code size
                    break;
                default:
                    return (frames, at);
            }

            at = BehindSubBlocks(source, at);
        }

        return (frames, at);
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
