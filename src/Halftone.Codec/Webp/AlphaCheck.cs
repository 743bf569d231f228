namespace Halftone.Codec.Webp;

/// <summary>
/// Whether an ALPH chunk is whole (RFC 9649, sections 2.7.1.2 and 3 to 6). Alpha is copied as it is, and a copy of a broken one would be
/// a broken output.
/// Every symbol is read, and every reference to earlier pixels checked; of pixels only those are kept that choose among codes.
/// </summary>
internal static class AlphaCheck
{
    private const int MaxCodesKept = 1 << 16, MaxCacheBits = 11;

    private static ReadOnlySpan<byte> CodeLengthOrder => [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>Distances of near pixels: rows up × 16, plus 8 less columns to the left (section 5.2.2).</summary>
    private static ReadOnlySpan<byte> NearDistances =>
    [
        0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37, 0x39, 0x15, 0x1b, 0x36, 0x3a,
        0x25, 0x2b, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b, 0x46, 0x4a, 0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03,
        0x57, 0x59, 0x13, 0x1d, 0x56, 0x5a, 0x23, 0x2d, 0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e,
        0x66, 0x6a, 0x22, 0x2e, 0x54, 0x5c, 0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e, 0x78, 0x01, 0x77, 0x79, 0x53, 0x5d, 0x11, 0x1f,
        0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b, 0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e, 0x00, 0x74, 0x7c, 0x41,
        0x4f, 0x10, 0x20, 0x62, 0x6e, 0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72, 0x7e, 0x61, 0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70,
    ];

    /// <param name="chunk">The chunk's content.</param>
    /// <param name="width">Of the picture, in pixels.</param>
    /// <param name="height">The same.</param>
    public static bool IsWhole(ReadOnlySpan<byte> chunk, int width, int height)
    {
        if (chunk.Length < 2)
        {
            return false;
        }

        int method = chunk[0] & 3, preprocessing = chunk[0] >> 4 & 3, reserved = chunk[0] >> 6;
        if (method > 1 || preprocessing > 1 || reserved != 0)
        {
            return false;
        }

        if (method == 0)
        {
            return chunk.Length - 1 >= (long)width * height;
        }

        var bits = new LosslessBits(chunk[1..]);
        return SkipTransforms(ref bits, ref width, height) && ReadImage(ref bits, width, height, isOuter: true, keep: null)
            && !bits.IsPastEnd;
    }

    /// <summary>Reads the transforms and what they are given (section 4); a palette narrows the image.</summary>
    private static bool SkipTransforms(ref LosslessBits bits, ref int width, int height)
    {
        for (var seen = 0; bits.Flag();)
        {
            var kind = (int)bits.Read(2);
            if ((seen >> kind & 1) != 0 || bits.IsPastEnd)
            {
                return false;
            }

            seen |= 1 << kind;
            switch (kind)
            {
                case 0 or 1: // prediction, colour: one pixel a tile
                    var tile = (int)bits.Read(3) + 2;
                    if (!ReadImage(ref bits, Tiles(width, tile), Tiles(height, tile), isOuter: false, keep: null))
                    {
                        return false;
                    }

                    break;
                case 3: // palette
                    var colours = (int)bits.Read(8) + 1;
                    if (!ReadImage(ref bits, colours, 1, isOuter: false, keep: null))
                    {
                        return false;
                    }

                    width = Tiles(width, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
                    break;
            }
        }

        return true;
    }

    private static int Tiles(int side, int bits) => (side + (1 << bits) - 1) >> bits;

    /// <summary>Reads one image (section 5).</summary>
    /// <param name="bits">Where it starts.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">The same.</param>
    /// <param name="isOuter">It may have more than one group of codes.</param>
    /// <param name="keep">Takes red × 256 + green of every pixel; null keeps none.</param>
    private static bool ReadImage(ref LosslessBits bits, int width, int height, bool isOuter, int[]? keep)
    {
        var cacheBits = bits.Flag() ? (int)bits.Read(4) : 0;
        if (cacheBits > MaxCacheBits || bits.IsPastEnd)
        {
            return false;
        }

        int[]? groupOf = null;
        int tile = 0, groups = 1;
        if (isOuter && bits.Flag())
        {
            tile = (int)bits.Read(3) + 2;
            groupOf = new int[Tiles(width, tile) * Tiles(height, tile)];
            if (!ReadImage(ref bits, Tiles(width, tile), Tiles(height, tile), isOuter: false, groupOf))
            {
                return false;
            }

            groups = groupOf.Max() + 1;
        }

        if (groups > MaxCodesKept || ReadGroups(ref bits, groups, cacheBits) is not { } codes)
        {
            return false;
        }

        return ReadPixels(ref bits, width, height, cacheBits, codes, groupOf, tile, keep);
    }

    private static LosslessCode[][]? ReadGroups(ref LosslessBits bits, int count, int cacheBits)
    {
        var groups = new List<LosslessCode[]>();
        for (var i = 0; i < count; i++)
        {
            var group = new LosslessCode[5];
            for (var k = 0; k < 5; k++)
            {
                var alphabet = k switch { 0 => 256 + 24 + (cacheBits > 0 ? 1 << cacheBits : 0), 4 => 40, _ => 256 };
                if (ReadCode(ref bits, alphabet) is not { } code || bits.IsPastEnd)
                {
                    return null;
                }

                group[k] = code;
            }

            groups.Add(group);
        }

        return [.. groups];
    }

    private static LosslessCode? ReadCode(ref LosslessBits bits, int alphabet)
    {
        var lengths = new byte[Math.Max(alphabet, 256)];
        if (bits.Flag())
        {
            var hasTwo = bits.Flag();
            lengths[bits.Read(bits.Flag() ? 8 : 1)] = 1;
            if (hasTwo)
            {
                lengths[bits.Read(8)] = 1;
            }

            return LosslessCode.Of(lengths.AsSpan(0, alphabet));
        }

        Span<byte> ofLengths = stackalloc byte[CodeLengthOrder.Length];
        ofLengths.Clear();
        var count = (int)bits.Read(4) + 4;
        for (var i = 0; i < count; i++)
        {
            ofLengths[CodeLengthOrder[i]] = (byte)bits.Read(3);
        }

        return LosslessCode.Of(ofLengths) is { } code && ReadLengths(ref bits, code, lengths.AsSpan(0, alphabet))
            ? LosslessCode.Of(lengths.AsSpan(0, alphabet)) : null;
    }

    private static bool ReadLengths(ref LosslessBits bits, LosslessCode code, Span<byte> lengths)
    {
        var left = lengths.Length;
        if (bits.Flag())
        {
            left = 2 + (int)bits.Read(2 + 2 * (int)bits.Read(3));
            if (left > lengths.Length)
            {
                return false;
            }
        }

        byte previous = 8;
        for (var symbol = 0; symbol < lengths.Length && left-- > 0;)
        {
            var length = code.Read(ref bits);
            if (length < 16)
            {
                lengths[symbol++] = (byte)length;
                previous = length != 0 ? (byte)length : previous;
                continue;
            }

            var repeat = length switch { 16 => 3 + (int)bits.Read(2), 17 => 3 + (int)bits.Read(3), _ => 11 + (int)bits.Read(7) };
            if (symbol + repeat > lengths.Length)
            {
                return false;
            }

            lengths.Slice(symbol, repeat).Fill(length == 16 ? previous : (byte)0);
            symbol += repeat;
        }

        return !bits.IsPastEnd;
    }

    private static bool ReadPixels(
        ref LosslessBits bits, int width, int height, int cacheBits, LosslessCode[][] groups, int[]? groupOf, int tile, int[]? keep)
    {
        long all = (long)width * height;
        int tilesWide = Tiles(width, tile), cacheLimit = 256 + 24 + (cacheBits > 0 ? 1 << cacheBits : 0);
        var cache = keep is not null && cacheBits > 0 ? new uint[1 << cacheBits] : null;
        for (long at = 0; at < all;)
        {
            var group = groups[groupOf is null ? 0 : groupOf[(int)(at / width >> tile) * tilesWide + (int)(at % width >> tile)]];
            var green = group[0].Read(ref bits);
            if (green is >= 256 and < 256 + 24)
            {
                long length = ReadPart(ref bits, green - 256), distance = ReadDistance(ref bits, group[4], width);
                if (distance > at || length > all - at || bits.IsPastEnd)
                {
                    return false;
                }

                for (var i = at; keep is not null && i < at + length; i++)
                {
                    keep[i] = keep[i - distance];
                }

                at += length;
                continue;
            }

            if (green >= cacheLimit || (cache is not null && green >= 256))
            {
                // Codes are chosen by pixels; encoders give these no cache, and what one held would have to be known here.
                return false;
            }

            if (green < 256)
            {
                var red = group[1].Read(ref bits);
                group[2].Read(ref bits);
                group[3].Read(ref bits);
                if (keep is not null)
                {
                    keep[at] = red << 8 | green;
                }
            }

            at++;
            if ((at & 0xFFF) == 0 && bits.IsPastEnd)
            {
                return false;
            }
        }

        return !bits.IsPastEnd;
    }

    /// <summary>A length or a distance: its beginning by the symbol, the rest in bits (section 5.2.2).</summary>
    private static long ReadPart(ref LosslessBits bits, int symbol)
    {
        if (symbol < 4)
        {
            return symbol + 1;
        }

        var more = (symbol - 2) >> 1;
        return ((2L + (symbol & 1)) << more) + bits.Read(more) + 1;
    }

    private static long ReadDistance(ref LosslessBits bits, LosslessCode code, int width)
    {
        var distance = ReadPart(ref bits, code.Read(ref bits));
        if (distance > NearDistances.Length)
        {
            return distance - NearDistances.Length;
        }

        var near = NearDistances[(int)distance - 1];
        return Math.Max(1, (long)(near >> 4) * width + 8 - (near & 15));
    }
}
