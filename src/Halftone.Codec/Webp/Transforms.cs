using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>From coefficients to samples (RFC 6386, section 14.3). Sums are of 16 bits and wrap, as in libwebp's vector code.</summary>
internal static class InverseTransform
{
    /// <summary>Adds four blocks, which lie side by side in <see cref="Coefficients"/>, to 4 rows of 16 samples.</summary>
    /// <param name="coefficients">Of the four.</param>
    /// <param name="prediction">Is at <paramref name="at"/>, rows <see cref="Canvas.Stride"/> apart.</param>
    /// <param name="target">Takes the sum at the same place; may be <paramref name="prediction"/>.</param>
    /// <param name="at">Of the first row.</param>
    public static void AddFour(ReadOnlySpan<short> coefficients, ReadOnlySpan<byte> prediction, Span<byte> target, int at) =>
        AddFour(Lanes.Load(coefficients, 0), Lanes.Load(coefficients, 16), Lanes.Load(coefficients, 32), Lanes.Load(coefficients, 48),
            prediction, target, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddFour(
        Vector256<short> r0, Vector256<short> r1, Vector256<short> r2, Vector256<short> r3, ReadOnlySpan<byte> prediction,
            Span<byte> target, int at)
    {
        Butterflies(ref r0, ref r1, ref r2, ref r3);
        Lanes.Transpose(ref r0, ref r1, ref r2, ref r3);
        r0 += Vector256.Create((short)4);
        Butterflies(ref r0, ref r1, ref r2, ref r3);
        (r0, r1, r2, r3) = (r0 >> 3, r1 >> 3, r2 >> 3, r3 >> 3);
        Lanes.Transpose(ref r0, ref r1, ref r2, ref r3);
        AddRow(r0, prediction, target, at);
        AddRow(r1, prediction, target, at + Canvas.Stride);
        AddRow(r2, prediction, target, at + 2 * Canvas.Stride);
        AddRow(r3, prediction, target, at + 3 * Canvas.Stride);
    }

    /// <summary>One block.</summary>
    /// <param name="r01">Coefficients of rows 0 and 1.</param>
    /// <param name="r23">Coefficients of rows 2 and 3.</param>
    /// <param name="prediction">16 samples in raster order.</param>
    /// <returns>The sum.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Add(Vector128<short> r01, Vector128<short> r23, Vector128<byte> prediction)
    {
        Butterflies(ref r01, ref r23);
        Lanes.Transpose(ref r01, ref r23);
        r01 += Vector128.Create(4, 4, 4, 4, 0, 0, 0, 0).AsInt16();
        Butterflies(ref r01, ref r23);
        (r01, r23) = (r01 >> 3, r23 >> 3);
        Lanes.Transpose(ref r01, ref r23);
        return Lanes.PackClamped(Vector128.WidenLower(prediction).AsInt16() + r01, Vector128.WidenUpper(prediction).AsInt16() + r23);
    }

    /// <summary>x × √2 cos(π/8), the factor being 1 + 20091 / 65536.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Cosine(Vector256<short> x) => Lanes.MultiplyHigh(x, 20091) + x;

    /// <summary>x × √2 sin(π/8), the factor being 35468 / 65536, which as a signed number is 1 less.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Sine(Vector256<short> x) => Lanes.MultiplyHigh(x, unchecked((short)35468)) + x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Butterflies(ref Vector256<short> r0, ref Vector256<short> r1, ref Vector256<short> r2, ref Vector256<short> r3)
    {
        Vector256<short> a = r0 + r2, b = r0 - r2, c = Sine(r1) - Cosine(r3), d = Cosine(r1) + Sine(r3);
        (r0, r1, r2, r3) = (a + d, b + c, b - c, a - d);
    }

    /// <summary>The same for one block: two rows in a vector, the sums in one half and the differences in the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Butterflies(ref Vector128<short> r01, ref Vector128<short> r23)
    {
        var upper = Vector128.Create(0, 0, 0, 0, -1, -1, -1, -1).AsInt16();
        Vector128<short> r13 = Lanes.ZipHigh(r01.AsInt64(), r23.AsInt64()).AsInt16(), r31 = Lanes.SwapHalves(r13);
        var cosine = Lanes.MultiplyHigh(r13, 20091) + r13;
        var sine = Lanes.MultiplyHigh(r31, unchecked((short)35468)) + r31;
        var dc = sine + Lanes.Negate(cosine, upper);
        Vector128<short> r00 = Lanes.ZipLow(r01.AsInt64(), r01.AsInt64()).AsInt16(),
            r22 = Lanes.ZipLow(r23.AsInt64(), r23.AsInt64()).AsInt16();
        var ab = r00 + Lanes.Negate(r22, upper);
        r01 = ab + dc;
        r23 = Lanes.SwapHalves(ab - dc);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow(Vector256<short> row, ReadOnlySpan<byte> prediction, Span<byte> target, int at)
    {
        var sum = Lanes.Widen(Lanes.Load(prediction, at)) + row;
        Lanes.Store(Lanes.PackClamped(sum.GetLower(), sum.GetUpper()), target, at);
    }
}

/// <summary>
/// From samples to coefficients: twice the orthonormal transform, so that squared errors of coefficients are four times those of samples.
/// Any forward
/// transform may be used with VP8; this one has the integers of libwebp's, whose rounding fits its inverse.
/// </summary>
internal static class ForwardTransform
{
    private const int Even = 5352, Odd = 2217; // √2 cos(π/8) and √2 sin(π/8), times 4096

    /// <summary>Four blocks side by side, by rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(ref Vector256<short> r0, ref Vector256<short> r1, ref Vector256<short> r2, ref Vector256<short> r3)
    {
        Vector256<short> a = r0 + r3, b = r1 + r2, c = r1 - r2, d = r0 - r3;
        (r0, r2) = ((a + b) << 3, (a - b) << 3);
        r1 = Rotate(d, c, Pair(Even, Odd), 1812, 9);
        r3 = Rotate(d, c, Pair(Odd, -Even), 937, 9);
        Lanes.Transpose(ref r0, ref r1, ref r2, ref r3);
        (a, b, c, d) = (r0 + r3, r1 + r2, r1 - r2, r0 - r3);
        var round = Vector256.Create((short)7);
        (r0, r2) = ((a + b + round) >> 4, (a - b + round) >> 4);
        r1 = Rotate(d, c, Pair(Even, Odd), 32768, 16);
        r3 = Rotate(d, c, Pair(Odd, -Even), 32768, 16);
        Lanes.Transpose(ref r0, ref r1, ref r2, ref r3);
    }

    /// <summary>One block of differences in raster order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> One(Vector256<short> differences)
    {
        Vector128<short> r01 = differences.GetLower(), r23 = differences.GetUpper();
        Split(r01, r23, out var even, out var odd);
        even <<= 3;
        odd = Rotate(odd, 1812, 937, 9);
        Join(even, odd, out r01, out r23);
        Split(r01, r23, out even, out odd);
        even = (even + Vector128.Create((short)7)) >> 4;
        odd = Rotate(odd, 32768, 32768, 16);
        Join(even, odd, out r01, out r23);
        return Vector256.Create(r01, r23);
    }

    /// <summary>
    /// Sum and difference of the outer and inner rows: the even half (r0 + r3) ± (r1 + r2), the odd one (r0 − r3) | (r1 − r2) in pairs.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(Vector128<short> r01, Vector128<short> r23, out Vector128<short> even, out Vector128<short> odd)
    {
        var upper = Vector128.Create(0, 0, 0, 0, -1, -1, -1, -1).AsInt16();
        var r32 = Lanes.SwapHalves(r23);
        Vector128<short> sums = r01 + r32, differences = r01 - r32;
        Vector128<short> outer = Lanes.ZipLow(sums.AsInt64(), sums.AsInt64()).AsInt16(),
            inner = Lanes.ZipHigh(sums.AsInt64(), sums.AsInt64()).AsInt16();
        even = outer + Lanes.Negate(inner, upper);
        odd = Lanes.ZipLow(differences, Lanes.SwapHalves(differences));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Rotate(Vector128<short> pairs, int round1, int round3, int shift) => Lanes.Pack(
        (Lanes.PairSums(pairs, Vector128.Create(Pair(Even, Odd)).AsInt16()) + Vector128.Create(round1)) >> shift,
        (Lanes.PairSums(pairs, Vector128.Create(Pair(Odd, -Even)).AsInt16()) + Vector128.Create(round3)) >> shift);

    /// <summary>Rows 0 and 2, and 1 and 3, to columns in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join(Vector128<short> even, Vector128<short> odd, out Vector128<short> r01, out Vector128<short> r23)
    {
        (r01, r23) = (Lanes.ZipLow(even.AsInt64(), odd.AsInt64()).AsInt16(), Lanes.ZipHigh(even.AsInt64(), odd.AsInt64()).AsInt16());
        Lanes.Transpose(ref r01, ref r23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Rotate(Vector256<short> outer, Vector256<short> inner, int factors, int round, int shift)
    {
        var pair = Vector256.Create(factors).AsInt16();
        return Lanes.Pack(
            (Lanes.PairSums(Lanes.ZipLow(outer, inner), pair) + Vector256.Create(round)) >> shift,
            (Lanes.PairSums(Lanes.ZipHigh(outer, inner), pair) + Vector256.Create(round)) >> shift);
    }

    private static int Pair(int low, int high) => low & 0xFFFF | high << 16;
}

/// <summary>The transform of a macroblock's sixteen luma DC coefficients (RFC 6386, section 14.3).</summary>
internal static class WalshHadamard
{
    /// <summary>16 values in raster order to the DC of 16 blocks.</summary>
    public static void Inverse(ReadOnlySpan<short> from, Span<short> to)
    {
        Span<int> t = stackalloc int[16];
        from = from[..16];
        to = to[..16];
        for (var i = 0; i < 4; i++)
        {
            int a = from[i] + from[12 + i], b = from[4 + i] + from[8 + i], c = from[4 + i] - from[8 + i], d = from[i] - from[12 + i];
            (t[i], t[4 + i], t[8 + i], t[12 + i]) = (a + b, d + c, a - b, d - c);
        }

        for (var i = 0; i < 16; i += 4)
        {
            int first = t[i] + 3, a = first + t[i + 3], b = t[i + 1] + t[i + 2], c = t[i + 1] - t[i + 2], d = first - t[i + 3];
            (to[i], to[i + 1], to[i + 2], to[i + 3]) = ((short)((a + b) >> 3), (short)((d + c) >> 3), (short)((a - b) >> 3),
                (short)((d - c) >> 3));
        }
    }

    /// <summary>The DC of 16 blocks to 16 values in raster order.</summary>
    public static void Forward(ReadOnlySpan<short> from, Span<short> to)
    {
        Span<int> t = stackalloc int[16];
        from = from[..16];
        to = to[..16];
        for (var i = 0; i < 16; i += 4)
        {
            int a = from[i] + from[i + 2], b = from[i + 1] + from[i + 3], c = from[i + 1] - from[i + 3], d = from[i] - from[i + 2];
            (t[i], t[i + 1], t[i + 2], t[i + 3]) = (a + b, d + c, d - c, a - b);
        }

        for (var i = 0; i < 4; i++)
        {
            int a = t[i] + t[8 + i], b = t[4 + i] + t[12 + i], c = t[4 + i] - t[12 + i], d = t[i] - t[8 + i];
            (to[i], to[4 + i], to[8 + i], to[12 + i]) = ((short)((a + b) >> 1), (short)((d + c) >> 1), (short)((d - c) >> 1),
                (short)((a - b) >> 1));
        }
    }
}
