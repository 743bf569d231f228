namespace Halftone.Codec.Webp;

/// <summary>Four whole numbers, one for each segment.</summary>
[System.Runtime.CompilerServices.InlineArray(4)]
internal struct PerSegment<T>
{
    private T first;
}

/// <summary>What a key frame's header says (RFC 6386, sections 9 and 19.2), up to the modes of the first macroblock.</summary>
internal sealed class Vp8Header
{
    /// <summary>Bytes in front of the first partition: tag, start code, size.</summary>
    public const int FixedBytes = 10;

    public int WidthPixels { get; private set; }

    public int HeightPixels { get; private set; }

    public int BlocksWide => (WidthPixels + 15) >> 4;

    public int BlocksHigh => (HeightPixels + 15) >> 4;

    /// <summary>Quantizer or filter level differ by segment.</summary>
    public bool HasSegments { get; private set; }

    /// <summary>Each macroblock tells its segment; otherwise all are in the first.</summary>
    public bool HasSegmentMap { get; private set; }

    /// <summary>Probabilities of the segment tree.</summary>
    public byte[] SegmentProbabilities { get; } = [255, 255, 255];

    public LoopFilterHeader Filter { get; } = new();

    /// <summary>Quantizer index of each segment, 0 to 127.</summary>
    public PerSegment<int> Index;

    /// <summary>Added to a segment's index for luma DC, and for DC and AC of Y2 and of chroma.</summary>
    public int LumaDcDelta { get; private set; }

    public int Y2DcDelta { get; private set; }

    public int Y2AcDelta { get; private set; }

    public int ChromaDcDelta { get; private set; }

    public int ChromaAcDelta { get; private set; }

    /// <summary>Coefficient probabilities in the order of <see cref="Vp8Tables.Defaults"/>.</summary>
    public byte[] Probabilities { get; } = new byte[Vp8Tables.Probabilities];

    /// <summary>Probability that a macroblock has coefficients; 0 where none says that it has none.</summary>
    public int SkipProbability { get; private set; }

    /// <summary>One macroblock row after the other comes from the next partition; 1, 2, 4 or 8.</summary>
    public int PartitionCount { get; private set; }

    /// <summary>The macroblocks' modes, which follow in the first partition.</summary>
    public BoolState Modes { get; private set; }

    /// <summary>Reads only the size; false where the bytes are not a key frame that is shown.</summary>
    /// <param name="frame">The whole chunk.</param>
    public bool ReadSize(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FixedBytes || !frame[3..].StartsWith((ReadOnlySpan<byte>)[0x9D, 0x01, 0x2A]))
        {
            return false;
        }

        var tag = Tag(frame);
        WidthPixels = (frame[6] | frame[7] << 8) & 0x3FFF; // above it a wish about scaling, which nobody follows
        HeightPixels = (frame[8] | frame[9] << 8) & 0x3FFF;
        bool isKey = (tag & 1) == 0, isShown = (tag >> 4 & 1) == 1;
        return isKey && isShown && (tag >> 1 & 7) <= 3 && WidthPixels > 0 && HeightPixels > 0;
    }

    /// <summary>Reads the rest, after <see cref="ReadSize"/>; false where the frame is broken.</summary>
    /// <param name="data">The frame and its slack, as <see cref="BoolReader"/> wants it.</param>
    /// <param name="length">Bytes of the frame.</param>
    /// <param name="partitions">Takes the partitions of coefficients, as many as there are.</param>
    public bool Read(ReadOnlySpan<byte> data, int length, Span<BoolState> partitions)
    {
        var first = Tag(data) >> 5;
        if (first > length - FixedBytes)
        {
            return false;
        }

        var reader = new BoolReader(data, FixedBytes, FixedBytes + first);
        reader.Number(2); // colour space and clamping: one has no other value, the other libwebp never looks at
        var quantizers = new PerSegment<int>();
        var isAbsolute = ReadSegments(ref reader, ref quantizers);
        Filter.Read(ref reader);
        PartitionCount = 1 << reader.Number(2);
        if (!Divide(data, FixedBytes + first, length, partitions))
        {
            return false;
        }

        ReadIndices(ref reader, quantizers, isAbsolute);
        reader.Flag(); // to keep the probabilities for the next frame, and there is none
        for (var i = 0; i < Probabilities.Length; i++)
        {
            Probabilities[i] = reader.Bit(Vp8Tables.Updates[i]) != 0 ? (byte)reader.Number(8) : Vp8Tables.Defaults[i];
        }

        SkipProbability = 0;
        HasSkips = reader.Flag();
        if (HasSkips)
        {
            SkipProbability = reader.Number(8);
        }

        Modes = reader.State;
        return !reader.IsPastEnd;
    }

    /// <summary>Macroblocks say whether they have coefficients.</summary>
    public bool HasSkips { get; private set; }

    private static int Tag(ReadOnlySpan<byte> frame) => frame[0] | frame[1] << 8 | frame[2] << 16;

    private bool ReadSegments(ref BoolReader reader, ref PerSegment<int> quantizers)
    {
        var isAbsolute = true;
        Filter.Forget();
        SegmentProbabilities.AsSpan().Fill(255);
        HasSegments = reader.Flag();
        HasSegmentMap = HasSegments && reader.Flag();
        if (!HasSegments)
        {
            return isAbsolute;
        }

        if (reader.Flag())
        {
            isAbsolute = reader.Flag();
            for (var s = 0; s < 4; s++)
            {
                quantizers[s] = reader.OptionalSigned(7);
            }

            Filter.ReadSegments(ref reader, isAbsolute);
        }

        for (var i = 0; HasSegmentMap && i < 3; i++)
        {
            SegmentProbabilities[i] = reader.Flag() ? (byte)reader.Number(8) : (byte)255;
        }

        return isAbsolute;
    }

    private void ReadIndices(ref BoolReader reader, PerSegment<int> quantizers, bool isAbsolute)
    {
        var common = reader.Number(7);
        (LumaDcDelta, Y2DcDelta, Y2AcDelta) = (reader.OptionalSigned(4), reader.OptionalSigned(4), reader.OptionalSigned(4));
        (ChromaDcDelta, ChromaAcDelta) = (reader.OptionalSigned(4), reader.OptionalSigned(4));
        for (var s = 0; s < 4; s++)
        {
            // Not clamped: deltas are added first.
            Index[s] = !HasSegments ? common : isAbsolute ? quantizers[s] : common + quantizers[s];
        }
    }

    /// <summary>
    /// Where the partitions are: their sizes stand behind the first one, but for the last, which has what is left (section 9.5).
    /// </summary>
    private bool Divide(ReadOnlySpan<byte> data, int sizes, int end, Span<BoolState> partitions)
    {
        var at = sizes + 3 * (PartitionCount - 1);
        if (at >= end)
        {
            return false;
        }

        for (var i = 0; i < PartitionCount; i++)
        {
            var stop = end;
            if (i < PartitionCount - 1)
            {
                var size = data[(sizes + 3 * i)..];
                stop = Math.Min(end, at + (size[0] | size[1] << 8 | size[2] << 16));
            }

            partitions[i] = new BoolReader(data, at, stop).State;
            at = stop;
        }

        return at > sizes && partitions[PartitionCount - 1].Next < end;
    }
}
