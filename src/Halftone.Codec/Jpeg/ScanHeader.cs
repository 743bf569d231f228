namespace Halftone.Codec.Jpeg;

/// <summary>Which component a scan holds, and by which Huffman tables.</summary>
/// <param name="Component">Index into the frame's components.</param>
internal readonly record struct ScanComponent(int Component, int DcTable, int AcTable);

/// <summary>A scan's header (ITU-T T.81, B.2.3, G.1.1.1).</summary>
internal sealed record ScanHeader
{
    public const int MaxBlocksPerMcu = 10;

    public required ScanComponent[] Components { get; init; }

    /// <summary>First coefficient of the band in zigzag order (Ss).</summary>
    public required int First { get; init; }

    /// <summary>Last coefficient of the band (Se).</summary>
    public required int Last { get; init; }

    /// <summary>Bit position of the scan before this one over the same band (Ah); 0 in the first.</summary>
    public required int High { get; init; }

    /// <summary>Bit position of this scan (Al).</summary>
    public required int Low { get; init; }

    /// <summary>Reads an SOS segment; null where it does not fit the frame.</summary>
    public static ScanHeader? Read(ReadOnlySpan<byte> segment, JpegFrame frame)
    {
        int n = segment.Length > 0 ? segment[0] : 0;
        if (n < 1 || n > frame.Components.Length || segment.Length != 4 + 2 * n)
        {
            return null;
        }

        var components = new ScanComponent[n];
        for (var i = 0; i < n; i++)
        {
            int id = segment[1 + 2 * i], tables = segment[2 + 2 * i];
            var index = Array.FindIndex(frame.Components, c => c.Id == id);
            if (index < 0 || tables >> 4 > 3 || (tables & 15) > 3 || Array.Exists(components[..i], c => c.Component == index))
            {
                return null;
            }

            components[i] = new ScanComponent(index, tables >> 4, tables & 15);
        }

        // B.2.3: the blocks of an interleaved MCU are ten at most.
        if (n > 1 && components.Sum(c => frame.Components[c.Component].H * frame.Components[c.Component].V) > MaxBlocksPerMcu)
        {
            return null;
        }

        var tail = segment[(1 + 2 * n)..];
        var header = new ScanHeader { Components = components, First = tail[0], Last = tail[1], High = tail[2] >> 4, Low = tail[2] & 15 };
        return header.Last > 63 || header.First > header.Last || header.Low > 13 ? null : header;
    }
}
