using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>
/// Both chroma planes of a macroblock: the mode is the one of the least difference. The source's own mode will not do: chroma whose
/// levels are all zero
/// lives by its prediction.
/// </summary>
internal sealed class ChromaCoding(Canvas canvas)
{
    private const int BitsInDifferences = 4;

    private byte[] best = new byte[Canvas.Length], other = new byte[Canvas.Length];

    public int Mode { get; private set; }

    /// <summary>Four blocks of U, then four of V.</summary>
    public BlockLevels Levels { get; } = new(8);

    /// <summary>About what telling a mode costs, in bits.</summary>
    private static ReadOnlySpan<byte> ModeBits => [1, 3, 2, 3];

    /// <summary>Chooses the mode, quantizes, and rebuilds on the canvas.</summary>
    /// <returns>False where nothing is left to code.</returns>
    public bool Code(in SourceBlock source, SegmentCoding coding)
    {
        Choose(source);
        var quantizer = coding.Chroma;
        var any = false;
        for (var y = 0; y < 2; y++)
        {
            int from = Canvas.Start + 4 * y * Canvas.Stride, row = 4 * y;
            var r0 = Difference(source, row, from);
            var r1 = Difference(source, row + 1, from + Canvas.Stride);
            var r2 = Difference(source, row + 2, from + 2 * Canvas.Stride);
            var r3 = Difference(source, row + 3, from + 3 * Canvas.Stride);
            ForwardTransform.Four(ref r0, ref r1, ref r2, ref r3);
            Vector256<short> l0 = quantizer.FirstRow(r0), l1 = quantizer.Row(r1), l2 = quantizer.Row(r2), l3 = quantizer.Row(r3);
            if ((l0 | l1 | l2 | l3) == Vector256<short>.Zero)
            {
                best.AsSpan(from, 3 * Canvas.Stride + 16).CopyTo(canvas.Chroma.AsSpan(from));
                Levels.Lengths.AsSpan(2 * y, 2).Clear();
                Levels.Lengths.AsSpan(4 + 2 * y, 2).Clear();
                continue;
            }

            any = true;
            InverseTransform.AddFour(
                quantizer.FirstRowBack(l0), quantizer.RowBack(l1), quantizer.RowBack(l2), quantizer.RowBack(l3), best, canvas.Chroma, from);
            Levels.SetFour(2 * y, 4 + 2 * y, l0, l1, l2, l3);
        }

        return any;
    }

    private void Choose(in SourceBlock source)
    {
        var least = long.MaxValue;
        for (var mode = 0; mode < BlockMode.Count; mode++)
        {
            if (mode == BlockMode.TrueMotion && !(canvas.HasAbove && canvas.HasLeft))
            {
                continue;
            }

            Prediction.Chroma(mode, canvas, other);
            var sums = Vector128<long>.Zero;
            for (var row = 0; row < 8; row++)
            {
                sums += Lanes.Differences(Row(source, row), Lanes.Load(other, Canvas.Start + row * Canvas.Stride));
            }

            var cost = Vector128.Sum(sums) + ModeBits[mode] * BitsInDifferences;
            if (cost < least)
            {
                (least, Mode) = (cost, mode);
                (best, other) = (other, best);
            }
        }
    }

    private static Vector128<byte> Row(in SourceBlock source, int row) =>
        Lanes.Both(source.U, source.V, source.ChromaAt + row * source.ChromaStride);

    private Vector256<short> Difference(in SourceBlock source, int row, int from) =>
        Lanes.Widen(Row(source, row)) - Lanes.Widen(Lanes.Load(best, from));
}
