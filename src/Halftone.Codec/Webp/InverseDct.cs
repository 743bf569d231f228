using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>
/// The inverse DCT of a JPEG's 8×8 blocks (ITU-T T.81, A.3.3), to samples of the range of VP8. Sums are single precision, every one in
/// the same order
/// on every machine, and rounded once.
/// </summary>
internal sealed class InverseDct
{
    // cos(kπ/16) / 2
    private const float C1 = 0.490392640f, C2 = 0.461939766f, C3 = 0.415734806f, C4 = 0.353553391f, C5 = 0.277785117f, C6 = 0.191341716f,
        C7 = 0.097545161f;

    /// <summary>By place in zigzag order, the step scaled to the output's range.</summary>
    private readonly float[] steps = new float[64];
    private readonly float[] block = new float[64];
    private float least, most, middle;

    /// <summary>Prepares for a component.</summary>
    /// <param name="sourceSteps">In zigzag order.</param>
    /// <param name="range">How far the output reaches where the JPEG's reaches 255: 219 for luma, 224 for chroma.</param>
    public void Prepare(ReadOnlySpan<ushort> sourceSteps, int range)
    {
        for (var k = 0; k < 64; k++)
        {
            steps[k] = sourceSteps[k] * (range / 255f);
        }

        // Both ranges begin at 16, and what lies outside the JPEG's is cut off, as decoders cut it.
        (least, most, middle) = (16, 16 + range, 16 + 128 * (range / 255f));
    }

    /// <summary>Writes a block's samples.</summary>
    /// <param name="coefficients">In zigzag order; those that are not marked count as 0.</param>
    /// <param name="marks">A bit for each coefficient that is there.</param>
    /// <param name="to">Takes eight rows.</param>
    /// <param name="at">Of the first sample.</param>
    /// <param name="stride">Between rows.</param>
    public void Write(ReadOnlySpan<short> coefficients, ulong marks, Span<byte> to, int at, int stride)
    {
        if ((marks & ~1ul) == 0)
        {
            var flat = Math.Clamp((marks != 0 ? coefficients[0] * steps[0] / 8 : 0) + middle, least, most);
            for (var y = 0; y < 8; y++, at += stride)
            {
                to.Slice(at, 8).Fill((byte)(flat + 0.5f));
            }

            return;
        }

        Array.Clear(block);
        for (var left = marks; left != 0; left &= left - 1)
        {
            // Turned: the first pass works on what then are columns.
            int k = BitOperations.TrailingZeroCount(left), natural = ZigZag.ToNatural[k];
            block[(natural & 7) << 3 | natural >> 3] = coefficients[k] * steps[k];
        }

        Span<Vector256<float>> rows = stackalloc Vector256<float>[8];
        for (var y = 0; y < 8; y++)
        {
            rows[y] = Vector256.Create(block.AsSpan(8 * y, 8));
        }

        Transform(rows);
        Transpose(rows);
        Transform(rows);
        Vector256<float> low = Vector256.Create(least), high = Vector256.Create(most), add = Vector256.Create(middle),
            half = Vector256.Create(0.5f);
        foreach (var row in rows)
        {
            var whole = Vector256.ConvertToInt32(Vector256.Min(Vector256.Max(row + add, low), high) + half);
            var words = Vector128.Narrow(whole.GetLower(), whole.GetUpper());
            Lanes.Store8(Lanes.PackClamped(words, words).AsUInt64().ToScalar(), to, at);
            at += stride;
        }
    }

    /// <summary>The transform down the columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transform(Span<Vector256<float>> x)
    {
        Vector256<float> sum = (x[0] + x[4]) * C4, difference = (x[0] - x[4]) * C4;
        Vector256<float> outer = x[2] * C2 + x[6] * C6, inner = x[2] * C6 - x[6] * C2;
        Vector256<float> e0 = sum + outer, e3 = sum - outer, e1 = difference + inner, e2 = difference - inner;
        var o0 = x[1] * C1 + x[3] * C3 + x[5] * C5 + x[7] * C7;
        var o1 = x[1] * C3 - x[3] * C7 - x[5] * C1 - x[7] * C5;
        var o2 = x[1] * C5 - x[3] * C1 + x[5] * C7 + x[7] * C3;
        var o3 = x[1] * C7 - x[3] * C5 + x[5] * C3 - x[7] * C1;
        (x[0], x[1], x[2], x[3]) = (e0 + o0, e1 + o1, e2 + o2, e3 + o3);
        (x[4], x[5], x[6], x[7]) = (e3 - o3, e2 - o2, e1 - o1, e0 - o0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(Span<Vector256<float>> x)
    {
        if (!Avx.IsSupported)
        {
            TransposePlainly(x);
            return;
        }

        for (var half = 0; half < 8; half += 4)
        {
            Vector256<double> a = Avx.UnpackLow(x[half], x[half + 1]).AsDouble(), b = Avx.UnpackHigh(x[half], x[half + 1]).AsDouble();
            Vector256<double> c = Avx.UnpackLow(x[half + 2], x[half + 3]).AsDouble(),
                d = Avx.UnpackHigh(x[half + 2], x[half + 3]).AsDouble();
            (x[half], x[half + 1]) = (Avx.UnpackLow(a, c).AsSingle(), Avx.UnpackHigh(a, c).AsSingle());
            (x[half + 2], x[half + 3]) = (Avx.UnpackLow(b, d).AsSingle(), Avx.UnpackHigh(b, d).AsSingle());
        }

        for (var i = 0; i < 4; i++)
        {
            (x[i], x[4 + i]) = (Vector256.Create(x[i].GetLower(), x[4 + i].GetLower()),
                Vector256.Create(x[i].GetUpper(), x[4 + i].GetUpper()));
        }
    }

    private static void TransposePlainly(Span<Vector256<float>> x)
    {
        Span<float> from = stackalloc float[64], to = stackalloc float[64];
        for (var y = 0; y < 8; y++)
        {
            x[y].CopyTo(from[(8 * y)..]);
        }

        for (var i = 0; i < 64; i++)
        {
            to[i] = from[(i & 7) << 3 | i >> 3];
        }

        for (var y = 0; y < 8; y++)
        {
            x[y] = Vector256.Create<float>(to.Slice(8 * y, 8));
        }
    }
}
