namespace Halftone.Codec.Webp;

/// <summary>Reads the modes of all macroblocks (RFC 6386, sections 10, 11 and 19.3).</summary>
internal static class ModeReader
{
    /// <summary>Reads as many as <paramref name="modes"/> holds; false where the partition ends before.</summary>
    /// <param name="data">The frame and its slack.</param>
    /// <param name="header">Of the frame.</param>
    /// <param name="modes">One for each macroblock, row by row.</param>
    /// <param name="above">Room for the sub-block modes of a row, four a macroblock.</param>
    public static bool Read(ReadOnlySpan<byte> data, Vp8Header header, Span<MacroblockModes> modes, Span<byte> above)
    {
        var reader = BoolReader.At(data, header.Modes);
        above.Clear();
        Span<byte> left = stackalloc byte[4];
        int wide = header.BlocksWide;
        for (var row = 0; row < header.BlocksHigh; row++)
        {
            left.Clear();
            for (var column = 0; column < wide; column++)
            {
                Read(ref reader, header, ref modes[row * wide + column], above.Slice(column * 4, 4), left);
            }

            if (reader.IsPastEnd)
            {
                return false;
            }
        }

        return true;
    }

    private static void Read(ref BoolReader reader, Vp8Header header, ref MacroblockModes mode, scoped Span<byte> above,
        scoped Span<byte> left)
    {
        mode.Segment = header.HasSegmentMap ? Segment(ref reader, header.SegmentProbabilities) : (byte)0;
        mode.IsSkipped = header.HasSkips && reader.Bit(header.SkipProbability) != 0;
        mode.IsSplit = reader.Bit(ModeTrees.IsWhole) == 0;
        if (mode.IsSplit)
        {
            mode.Luma = 0;
            ReadSub(ref reader, ref mode.Sub, above, left);
        }
        else
        {
            mode.Luma = Luma(ref reader);
            above.Fill(mode.Luma);
            left.Fill(mode.Luma);
        }

        mode.Chroma = Chroma(ref reader);
    }

    private static byte Segment(ref BoolReader reader, byte[] probabilities) =>
        (byte)(reader.Bit(probabilities[0]) == 0 ? reader.Bit(probabilities[1]) : 2 + reader.Bit(probabilities[2]));

    private static byte Luma(ref BoolReader reader) => (byte)(reader.Bit(ModeTrees.LumaFirst) == 0
        ? reader.Bit(ModeTrees.LumaVertical) == 0 ? BlockMode.Dc : BlockMode.Vertical
        : reader.Bit(ModeTrees.LumaTrueMotion) == 0 ? BlockMode.Horizontal : BlockMode.TrueMotion);

    private static byte Chroma(ref BoolReader reader) => (byte)(reader.Bit(ModeTrees.ChromaFirst) == 0 ? BlockMode.Dc
        : reader.Bit(ModeTrees.ChromaSecond) == 0 ? BlockMode.Vertical
        : reader.Bit(ModeTrees.ChromaThird) == 0 ? BlockMode.Horizontal : BlockMode.TrueMotion);

    private static void ReadSub(ref BoolReader reader, ref SubModes sub, scoped Span<byte> above, scoped Span<byte> left)
    {
        var window = reader.Enter();
        for (var y = 0; y < 4; y++)
        {
            int before = left[y];
            for (var x = 0; x < 4; x++)
            {
                var p = Vp8Tables.SubModes.Slice((above[x] * SubMode.Count + before) * 9, 9);
                window.Refill(56); // at most seven decisions
                before = !window.IsOne(p[0]) ? SubMode.Dc
                    : !window.IsOne(p[1]) ? SubMode.TrueMotion
                    : !window.IsOne(p[2]) ? SubMode.Vertical
                    : !window.IsOne(p[3]) ? !window.IsOne(p[4]) ? SubMode.Horizontal : SubMode.RightDown + window.Bit(p[5])
                    : !window.IsOne(p[6]) ? SubMode.LeftDown
                    : !window.IsOne(p[7]) ? SubMode.VerticalLeft : SubMode.HorizontalDown + window.Bit(p[8]);
                above[x] = (byte)before;
                sub[y * 4 + x] = (byte)before;
            }

            left[y] = (byte)before;
        }

        reader.Leave(window);
    }
}

/// <summary>Fixed probabilities of the mode trees of a key frame (RFC 6386, section 11.2 and 11.3).</summary>
internal static class ModeTrees
{
    public const int IsWhole = 145, LumaFirst = 156, LumaVertical = 163, LumaTrueMotion = 128, ChromaFirst = 142, ChromaSecond = 114,
        ChromaThird = 183;
}
