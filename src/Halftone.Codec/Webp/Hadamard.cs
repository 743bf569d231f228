using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>
/// Sums of absolute differences after a 4×4 Hadamard transform: nearer to what coding a difference costs than the plain sum.
/// </summary>
internal static class Hadamard
{
    /// <summary>Of 16×16 samples.</summary>
    /// <param name="source">A plane.</param>
    /// <param name="at">Of the macroblock's first sample.</param>
    /// <param name="stride">Of the plane.</param>
    /// <param name="prediction">As <see cref="Prediction"/> writes it.</param>
    public static int Sum16(ReadOnlySpan<byte> source, int at, int stride, ReadOnlySpan<byte> prediction)
    {
        var sum = Vector256<int>.Zero;
        for (var from = Canvas.Start; from < Canvas.Start + 16 * Canvas.Stride; from += 4 * Canvas.Stride, at += 4 * stride)
        {
            var r0 = Difference(source, at, prediction, from);
            var r1 = Difference(source, at + stride, prediction, from + Canvas.Stride);
            var r2 = Difference(source, at + 2 * stride, prediction, from + 2 * Canvas.Stride);
            var r3 = Difference(source, at + 3 * stride, prediction, from + 3 * Canvas.Stride);
            Vector256<short> a = r0 + r2, b = r0 - r2, c = r1 + r3, d = r1 - r3;
            sum += AcrossRows(a + c) + AcrossRows(a - c) + AcrossRows(b + d) + AcrossRows(b - d);
        }

        return Vector256.Sum(sum) >> 1;
    }

    /// <summary>
    /// Of two predictions of one 4×4 block; the sum of the four lanes of each half is twice that of the first and of the second prediction.
    /// </summary>
    /// <param name="s01">Samples of rows 0 and 1, in both halves.</param>
    /// <param name="s23">Samples of rows 2 and 3.</param>
    /// <param name="first">One prediction.</param>
    /// <param name="second">The other.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> OfTwo(Vector256<short> s01, Vector256<short> s23, Vector128<byte> first, Vector128<byte> second)
    {
        var r01 = s01 - Vector256.Create(Vector128.WidenLower(first), Vector128.WidenLower(second)).AsInt16();
        var r23 = s23 - Vector256.Create(Vector128.WidenUpper(first), Vector128.WidenUpper(second)).AsInt16();
        Vector256<long> sums = (r01 + r23).AsInt64(), differences = (r01 - r23).AsInt64();
        Vector256<short> u = Lanes.ZipLow(sums, differences).AsInt16(), v = Lanes.ZipHigh(sums, differences).AsInt16();
        return AcrossRows(u + v) + AcrossRows(u - v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Difference(ReadOnlySpan<byte> source, int at, ReadOnlySpan<byte> prediction, int from) =>
        Lanes.Widen(Lanes.Load(source, at)) - Lanes.Widen(Lanes.Load(prediction, from));

    /// <summary>
    /// The transform's other direction within rows of four, and the sum of magnitudes by pairs, halved: |a + b| + |a − b| = 2 max(|a|,
    /// |b|).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> AcrossRows(Vector256<short> x)
    {
        var upper = Vector256.Create(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1).AsInt16();
        var swapped = Vector256.Shuffle(x.AsInt32(), Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6)).AsInt16();
        var magnitudes = Vector256.Abs(((x ^ upper) - upper) + swapped).AsUInt32();
        var larger = Vector256.Max(magnitudes.AsUInt16(), (magnitudes >> 16 | magnitudes << 16).AsUInt16());
        return Lanes.PairSums(larger.AsInt16(), Vector256<short>.One);
    }
}
