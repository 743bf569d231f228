using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Averages pairs of neighbouring samples over two or four blocks and yields the DCT of the result, without leaving the DCT
/// domain. Averaging is linear and separable: the coefficients of an averaged row are those of its two source rows times an
/// 8×8 matrix each. Blocks have few coefficients, so each one adds its scaled matrix row.
/// </summary>
internal sealed class ChromaMerge
{
    private static readonly float[] Matrices = MakeMatrices();

    // By place in the order that the sums have: rows, or columns where only vertical neighbours are merged.
    private readonly float[] inverseSteps = new float[64];
    private readonly byte[] toZigZag = new byte[64];

    // By place in zigzag order.
    private readonly float[] steps = new float[64];
    private readonly byte[] places = new byte[64];
    private int along, across;
    private bool isTransposed;

    /// <summary>Prepares for a component.</summary>
    /// <param name="sourceSteps">In zigzag order.</param>
    /// <param name="outputSteps">In zigzag order.</param>
    public void Prepare(ReadOnlySpan<ushort> sourceSteps, ReadOnlySpan<byte> outputSteps, OutputLayout layout)
    {
        // Sums are built by whole vectors along one axis. Where only the vertical one is merged, all indices change places.
        isTransposed = layout.MergeH == 1;
        (along, across) = isTransposed ? (layout.MergeV, layout.MergeH) : (layout.MergeH, layout.MergeV);
        for (var k = 0; k < 64; k++)
        {
            int natural = ZigZag.ToNatural[k], place = isTransposed ? (natural & 7) << 3 | natural >> 3 : natural;
            steps[k] = sourceSteps[k];
            places[k] = (byte)place;
            toZigZag[place] = (byte)k;
            inverseSteps[place] = 1f / outputSteps[k];
        }
    }

    /// <summary>
    /// Merges the blocks whose first stands at (<paramref name="column"/>, <paramref name="row"/>); beyond the last column and
    /// row of pixels the last block is repeated. Writes quantized coefficients to <paramref name="target"/> in zigzag order and
    /// returns the marks of those that are not zero, and of DC.
    /// </summary>
    [SkipLocalsInit]
    public ulong Merge(CoefficientPlane plane, int column, int row, int lastColumn, int lastRow, Span<short> target)
    {
        Span<float> sums = stackalloc float[64];
        Sum(plane, column, row, lastColumn, lastRow, sums);
        return Quantize(sums, target);
    }

    /// <summary>
    /// The same without rounding: writes coefficients in output steps to <paramref name="quotients"/> and returns the marks of those whose
    /// magnitude is
    /// above <paramref name="least"/>, and of DC. What is not marked is not written.
    /// </summary>
    [SkipLocalsInit]
    public ulong Merge(CoefficientPlane plane, int column, int row, int lastColumn, int lastRow, float least, Span<float> quotients)
    {
        Span<float> sums = stackalloc float[64];
        Sum(plane, column, row, lastColumn, lastRow, sums);
        ReadOnlySpan<float> inverse = inverseSteps;
        quotients[0] = sums[0] * inverse[0];
        sums[0] = 0;
        ulong marks = 1;
        for (var u = 0; u < 8; u++)
        {
            var quotient = Vector256.Create<float>(sums.Slice(u * 8, 8)) * Vector256.Create(inverse.Slice(u * 8, 8));
            var kept = Vector256.GreaterThan(Vector256.Abs(quotient), Vector256.Create(least)).ExtractMostSignificantBits();
            while (kept != 0)
            {
                var v = BitOperations.TrailingZeroCount(kept);
                kept &= kept - 1;
                int k = toZigZag[u * 8 + v];
                quotients[k] = quotient.GetElement(v);
                marks |= 1ul << k;
            }
        }

        return marks;
    }

    /// <summary>Sums of the blocks' shares, dequantized.</summary>
    [SkipLocalsInit]
    private void Sum(CoefficientPlane plane, int column, int row, int lastColumn, int lastRow, Span<float> sums)
    {
        Span<float> line = stackalloc float[64];
        sums.Clear();
        for (var b = 0; b < across; b++)
        {
            // Without a second axis the lines are the sums.
            var lines = across == 1 ? sums : line;
            if (across > 1)
            {
                line.Clear();
            }

            var used = 0;
            for (var a = 0; a < along; a++)
            {
                int x = Math.Min(column + (isTransposed ? b : a), lastColumn), y = Math.Min(row + (isTransposed ? a : b), lastRow);
                var at = (long)y * plane.BlocksWide + x;
                used |= AddAlong(plane.Block(at), plane.Marks(at), Matrices.AsSpan(a * 64, 64), lines);
            }

            if (across > 1)
            {
                AddAcross(line, used, Matrices.AsSpan(b * 64, 64), sums);
            }
        }
    }

    /// <summary>Adds each coefficient's share to its line; returns which lines have any.</summary>
    private int AddAlong(ReadOnlySpan<short> coefficients, ulong marks, ReadOnlySpan<float> matrix, Span<float> lines)
    {
        var used = 0;
        while (marks != 0)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            int place = places[k], u = place >> 3;
            var share = Vector256.Create(coefficients[k] * steps[k]) * Vector256.Create(matrix.Slice((place & 7) * 8, 8));
            var own = lines.Slice(u * 8, 8);
            (Vector256.Create<float>(own) + share).CopyTo(own);
            used |= 1 << u;
        }

        return used;
    }

    private static void AddAcross(ReadOnlySpan<float> lines, int used, ReadOnlySpan<float> matrix, Span<float> sums)
    {
        while (used != 0)
        {
            var u = BitOperations.TrailingZeroCount(used);
            used &= used - 1;
            var line = Vector256.Create(lines.Slice(u * 8, 8));
            for (var o = 0; o < 8; o++)
            {
                var own = sums.Slice(o * 8, 8);
                (Vector256.Create<float>(own) + line * Vector256.Create(matrix[u * 8 + o])).CopyTo(own);
            }
        }
    }

    /// <summary>Divides by the output steps and rounds as <see cref="Requantizer"/> does.</summary>
    private ulong Quantize(Span<float> sums, Span<short> target)
    {
        const float acBias = (float)Requantizer.AcBias / (1 << Requantizer.Shift);
        ReadOnlySpan<float> inverse = inverseSteps;
        target[0] = (short)MathF.Round(sums[0] * inverse[0]);
        sums[0] = 0;
        ulong marks = 1;
        var least = Vector256.Create(1f - acBias);
        for (var u = 0; u < 8; u++)
        {
            var quotient = Vector256.Create<float>(sums.Slice(u * 8, 8)) * Vector256.Create(inverse.Slice(u * 8, 8));
            var kept = Vector256.GreaterThanOrEqual(Vector256.Abs(quotient), least).ExtractMostSignificantBits();
            while (kept != 0)
            {
                var v = BitOperations.TrailingZeroCount(kept);
                kept &= kept - 1;
                var x = quotient.GetElement(v);
                int k = toZigZag[u * 8 + v];
                target[k] = (short)(x < 0 ? x - acBias : x + acBias);
                marks |= 1ul << k;
            }
        }

        return marks;
    }

    /// <summary>
    /// For the first and the second of two neighbours, [input frequency × 8 + output frequency]: the DCT (ITU-T T.81, A.3.3) of
    /// averaged pairs of samples of each basis function, which fill one half of the output.
    /// </summary>
    private static float[] MakeMatrices()
    {
        var matrices = new float[128];
        for (var half = 0; half < 2; half++)
        {
            for (var u = 0; u < 8; u++)
            {
                for (var o = 0; o < 8; o++)
                {
                    var sum = 0d;
                    for (var x = 0; x < 8; x++)
                    {
                        sum += Basis(o, half * 4 + x / 2) * Basis(u, x) / 2;
                    }

                    matrices[half * 64 + u * 8 + o] = (float)sum;
                }
            }
        }

        return matrices;
    }

    private static double Basis(int frequency, int x) =>
        Math.Sqrt(frequency == 0 ? 0.125 : 0.25) * Math.Cos((2 * x + 1) * frequency * Math.PI / 16);
}
