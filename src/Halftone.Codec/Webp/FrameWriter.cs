using System.Buffers.Binary;

namespace Halftone.Codec.Webp;

/// <summary>Writes the first partition, header and modes (RFC 6386, section 19.2 and 19.3), and puts the frame together.</summary>
internal sealed class FrameWriter
{
    /// <summary>The size of the first partition has 19 bits.</summary>
    public const int MaxFirstPartition = (1 << 19) - 1;

    private readonly BoolWriter writer = new();
    private byte[] modesAbove = [];

    /// <summary>Writes a frame of one partition of coefficients.</summary>
    /// <returns>Null where the first partition is too long.</returns>
    public byte[]? Write(int width, int height, EncoderPlan plan, ReadOnlySpan<MacroblockModes> modes, CoefficientStream coefficients)
    {
        writer.Start();
        WriteHeader(plan, modes, coefficients, out var segments);
        WriteModes(plan, modes, (width + 15) >> 4, segments);
        writer.Finish();
        var first = writer.Bytes;
        if (first.Length > MaxFirstPartition)
        {
            return null;
        }

        var frame = new byte[Vp8Header.FixedBytes + first.Length + coefficients.Bytes.Length];
        var tag = 1 << 4 | first.Length << 5; // a key frame of profile 0 that is shown
        (frame[0], frame[1], frame[2]) = ((byte)tag, (byte)(tag >> 8), (byte)(tag >> 16));
        (frame[3], frame[4], frame[5]) = (0x9D, 0x01, 0x2A);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), (ushort)width);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(8), (ushort)height);
        first.CopyTo(frame.AsSpan(Vp8Header.FixedBytes));
        coefficients.Bytes.CopyTo(frame.AsSpan(Vp8Header.FixedBytes + first.Length));
        return frame;
    }

    public void Trim(int bytes) => writer.Trim(bytes);

    private void WriteHeader(EncoderPlan plan, ReadOnlySpan<MacroblockModes> modes, CoefficientStream coefficients,
        out SegmentTree segments)
    {
        segments = new SegmentTree(modes);
        writer.Number(0, 2); // the one colour space, and samples are clamped
        writer.Flag(plan.HasSegments);
        if (plan.HasSegments)
        {
            WriteSegments(plan, segments);
        }

        writer.Flag(false); // the normal filter
        var level = 0;
        for (var s = 0; s < 4; s++)
        {
            level = Math.Max(level, plan.FilterLevel[s]); // 0 would switch off that of all segments
        }

        writer.Number(plan.HasSegments ? level : plan.FilterLevel[0], 6);
        writer.Number(0, 3); // sharpness
        writer.Flag(false); // no differences by mode
        writer.Number(0, 2); // one partition
        writer.Number(plan.CommonIndex, 7);
        writer.OptionalSigned(0, 4);
        writer.OptionalSigned(0, 4);
        writer.OptionalSigned(0, 4);
        writer.OptionalSigned(plan.ChromaDcDelta, 4);
        writer.OptionalSigned(plan.ChromaAcDelta, 4);
        writer.Flag(false); // no frame comes after this one
        coefficients.WriteProbabilities(writer);
    }

    private void WriteSegments(EncoderPlan plan, SegmentTree segments)
    {
        writer.Flag(true); // a map
        writer.Flag(true); // and what the segments mean,
        writer.Flag(true); // not as differences
        for (var s = 0; s < 4; s++)
        {
            writer.OptionalSigned(plan.Index[s], 7);
        }

        for (var s = 0; s < 4; s++)
        {
            writer.OptionalSigned(plan.FilterLevel[s], 6);
        }

        foreach (int probability in (ReadOnlySpan<byte>)[segments.Upper, segments.First, segments.Third])
        {
            writer.Flag(probability != 255);
            if (probability != 255)
            {
                writer.Number(probability, 8);
            }
        }
    }

    private void WriteModes(EncoderPlan plan, ReadOnlySpan<MacroblockModes> modes, int wide, SegmentTree segments)
    {
        var skipped = 0;
        foreach (ref readonly var mode in modes)
        {
            skipped += mode.IsSkipped ? 1 : 0;
        }

        int skipProbability = SegmentTree.Probability(modes.Length - skipped, skipped);
        writer.Flag(skipped > 0);
        if (skipped > 0)
        {
            writer.Number(skipProbability, 8);
        }

        if (modesAbove.Length < 4 * wide)
        {
            modesAbove = new byte[4 * wide];
        }

        Array.Clear(modesAbove);
        Span<byte> left = stackalloc byte[4];
        for (var at = 0; at < modes.Length; at++)
        {
            if (at % wide == 0)
            {
                left.Clear();
            }

            ref readonly var mode = ref modes[at];
            if (plan.HasSegments)
            {
                writer.Put(mode.Segment >> 1, segments.Upper);
                writer.Put(mode.Segment & 1, mode.Segment < 2 ? segments.First : segments.Third);
            }

            if (skipped > 0)
            {
                writer.Put(mode.IsSkipped ? 1 : 0, skipProbability);
            }

            WriteLuma(mode, modesAbove.AsSpan(at % wide * 4, 4), left);
            WriteChroma(mode.Chroma);
        }
    }

    private void WriteLuma(in MacroblockModes mode, Span<byte> above, Span<byte> left)
    {
        writer.Put(mode.IsSplit ? 0 : 1, ModeTrees.IsWhole);
        if (!mode.IsSplit)
        {
            var isSecond = mode.Luma is BlockMode.Horizontal or BlockMode.TrueMotion;
            writer.Put(isSecond ? 1 : 0, ModeTrees.LumaFirst);
            writer.Put(mode.Luma is BlockMode.Vertical or BlockMode.TrueMotion ? 1 : 0, isSecond ? ModeTrees.LumaTrueMotion
                : ModeTrees.LumaVertical);
            above.Fill(mode.Luma);
            left.Fill(mode.Luma);
            return;
        }

        for (var y = 0; y < 4; y++)
        {
            int before = left[y];
            for (var x = 0; x < 4; x++)
            {
                int own = mode.Sub[4 * y + x], context = (above[x] * SubMode.Count + before) * 9;
                foreach (var (place, bit) in SubModeTree.Path(own))
                {
                    writer.Put(bit, Vp8Tables.SubModes[context + place]);
                }

                above[x] = (byte)own;
                before = own;
            }

            left[y] = (byte)before;
        }
    }

    private void WriteChroma(int mode)
    {
        writer.Put(mode == BlockMode.Dc ? 0 : 1, ModeTrees.ChromaFirst);
        if (mode != BlockMode.Dc)
        {
            writer.Put(mode == BlockMode.Vertical ? 0 : 1, ModeTrees.ChromaSecond);
            if (mode != BlockMode.Vertical)
            {
                writer.Put(mode == BlockMode.Horizontal ? 0 : 1, ModeTrees.ChromaThird);
            }
        }
    }

    /// <summary>Probabilities by which macroblocks tell their segment: whether it is one of the upper two, and which of the two.</summary>
    private readonly ref struct SegmentTree
    {
        public SegmentTree(ReadOnlySpan<MacroblockModes> modes)
        {
            Span<int> counts = stackalloc int[4];
            counts.Clear();
            foreach (ref readonly var mode in modes)
            {
                counts[mode.Segment]++;
            }

            Upper = Probability(counts[0] + counts[1], counts[2] + counts[3]);
            First = Probability(counts[0], counts[1]);
            Third = Probability(counts[2], counts[3]);
        }

        public byte Upper { get; }

        public byte First { get; }

        public byte Third { get; }

        public static byte Probability(int zeros, int ones) =>
            zeros + ones == 0 ? (byte)255 : (byte)Math.Clamp((zeros * 256L + (zeros + ones) / 2) / (zeros + ones), 1, 255);
    }
}
