using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>The directory of an icon or cursor.</summary>
internal static class IconFile
{
    private const int HeaderBytes = 6, EntryBytes = 16;

    /// <summary>
    /// Where the largest picture stands, the one of most colours among equals; null where none is whole. It is a whole PNG, or a BMP
    /// without its file header.
    /// </summary>
    public static Range? Largest(ReadOnlySpan<byte> source)
    {
        if (source.Length < HeaderBytes)
        {
            return null;
        }

        Range? best = null;
        long bestRank = -1;
        var count = BinaryPrimitives.ReadUInt16LittleEndian(source[4..]);
        for (var i = 0; i < count && HeaderBytes + (i + 1) * EntryBytes <= source.Length; i++)
        {
            var entry = source.Slice(HeaderBytes + i * EntryBytes, EntryBytes);
            long length = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]), start = BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
            if (length == 0 || start + length > source.Length)
            {
                continue;
            }

            // What the directory says of size and colours is often wrong or 0: the picture's own header counts.
            var picture = source.Slice((int)start, (int)length);
            var rank = Rank(picture);
            if (rank > bestRank)
            {
                (best, bestRank) = ((int)start..(int)(start + length), rank);
            }
        }

        return best;
    }

    private static long Rank(ReadOnlySpan<byte> picture) =>
        PngFacts.Read(picture) is { } png
            ? ((long)png.Width * png.Height << 8) + 255
        : BmpImage.ReadHeader(picture, 0, isIcon: true) is { } header
            ? ((long)header.Width * header.Height << 8) + Math.Min(header.BitsPerPixel, 254)
                : -1;
}
