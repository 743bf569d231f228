using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Halftone.Codec.Webp;

/// <summary>
/// Vector operations that <see cref="Vector128"/> and <see cref="Vector256"/> lack, each with the instruction of x86, where there is one
/// that of Arm,
/// and a plain form of the same result. Operations on 256 bits work on each half alone. All loads and stores are checked.
/// </summary>
internal static class Lanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(ReadOnlySpan<byte> from, int at) => Vector128.Create(from.Slice(at, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Load(ReadOnlySpan<short> from, int at) => Vector256.Create(from.Slice(at, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<byte> value, Span<byte> to, int at) => value.CopyTo(to.Slice(at, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<short> value, Span<short> to, int at) => value.CopyTo(to.Slice(at, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Load4(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt32LittleEndian(from[at..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store4(uint value, Span<byte> to, int at) => BinaryPrimitives.WriteUInt32LittleEndian(to[at..], value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load8(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadUInt64LittleEndian(from[at..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store8(ulong value, Span<byte> to, int at) => BinaryPrimitives.WriteUInt64LittleEndian(to[at..], value);

    /// <summary>Eight bytes of one place and eight of another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Both(ReadOnlySpan<byte> low, ReadOnlySpan<byte> high, int at) =>
        Vector128.Create(Load8(low, at), Load8(high, at)).AsByte();

    /// <summary>A 4×4 block, row by row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LoadBlock(ReadOnlySpan<byte> from, int at, int stride) =>
        Vector128.Create(Load4(from, at), Load4(from, at + stride), Load4(from, at + 2 * stride), Load4(from, at + 3 * stride)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBlock(Vector128<byte> block, Span<byte> to, int at, int stride)
    {
        var rows = block.AsUInt32();
        Store4(rows.GetElement(0), to, at);
        Store4(rows.GetElement(1), to, at + stride);
        Store4(rows.GetElement(2), to, at + 2 * stride);
        Store4(rows.GetElement(3), to, at + 3 * stride);
    }

    /// <summary>Bytes to 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Widen(Vector128<byte> x) =>
        Avx2.IsSupported ? Avx2.ConvertToVector256Int16(x)
            : Vector256.Create(Vector128.WidenLower(x).AsInt16(), Vector128.WidenUpper(x).AsInt16());

    /// <summary>16 bits to bytes, clamped to 0 to 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> PackClamped(Vector128<short> low, Vector128<short> high)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.PackUnsignedSaturate(low, high);
        }

        if (AdvSimd.IsSupported)
        {
            return AdvSimd.ExtractNarrowingSaturateUnsignedUpper(AdvSimd.ExtractNarrowingSaturateUnsignedLower(low), high);
        }

        Vector128<short> zero = Vector128<short>.Zero, most = Vector128.Create((short)255);
        return Vector128.Narrow(Vector128.Min(Vector128.Max(low, zero), most).AsUInt16(),
            Vector128.Min(Vector128.Max(high, zero), most).AsUInt16());
    }

    /// <summary>32 bits to 16, clamped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> Pack(Vector128<int> low, Vector128<int> high) =>
        Sse2.IsSupported ? Sse2.PackSignedSaturate(low, high) : Vector128.NarrowWithSaturation(low, high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Pack(Vector256<int> low, Vector256<int> high) =>
        Avx2.IsSupported ? Avx2.PackSignedSaturate(low, high)
            : Vector256.Create(Pack(low.GetLower(), high.GetLower()), Pack(low.GetUpper(), high.GetUpper()));

    /// <summary>The upper half of the 32-bit product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> MultiplyHigh(Vector128<short> x, short factor)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.MultiplyHigh(x, Vector128.Create(factor));
        }

        var wide = Vector128.Create((int)factor);
        return Vector128.Narrow(Vector128.WidenLower(x) * wide >> 16, Vector128.WidenUpper(x) * wide >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> MultiplyHigh(Vector256<short> x, short factor) =>
        Avx2.IsSupported ? Avx2.MultiplyHigh(x, Vector256.Create(factor))
            : Vector256.Create(MultiplyHigh(x.GetLower(), factor), MultiplyHigh(x.GetUpper(), factor));

    /// <summary>The upper half of the unsigned 32-bit product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> MultiplyHigh(Vector256<ushort> x, Vector256<ushort> y)
    {
        return Avx2.IsSupported ? Avx2.MultiplyHigh(x, y) : Vector256.Create(Half(x.GetLower(), y.GetLower()), Half(x.GetUpper(),
            y.GetUpper()));

        static Vector128<ushort> Half(Vector128<ushort> x, Vector128<ushort> y) =>
            Vector128.Narrow(Vector128.WidenLower(x) * Vector128.WidenLower(y) >> 16,
                Vector128.WidenUpper(x) * Vector128.WidenUpper(y) >> 16);
    }

    /// <summary>Products of 16-bit lanes, summed by neighbouring pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> PairSums(Vector128<short> x, Vector128<short> y)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.MultiplyAddAdjacent(x, y);
        }

        if (AdvSimd.Arm64.IsSupported)
        {
            return AdvSimd.Arm64.AddPairwise(AdvSimd.MultiplyWideningLower(x.GetLower(), y.GetLower()),
                AdvSimd.MultiplyWideningUpper(x, y));
        }

        Vector128<int> low = Vector128.WidenLower(x) * Vector128.WidenLower(y), high = Vector128.WidenUpper(x) * Vector128.WidenUpper(y);
        return PlainPairs(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> PairSums(Vector256<short> x, Vector256<short> y) =>
        Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(x, y)
            : Vector256.Create(PairSums(x.GetLower(), y.GetLower()), PairSums(x.GetUpper(), y.GetUpper()));

    /// <summary>Sums of neighbours: those of x, then those of y, in each half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddNeighbours(Vector256<int> x, Vector256<int> y)
    {
        return Avx2.IsSupported ? Avx2.HorizontalAdd(x, y) : Vector256.Create(Half(x.GetLower(), y.GetLower()), Half(x.GetUpper(),
            y.GetUpper()));

        static Vector128<int> Half(Vector128<int> x, Vector128<int> y) => AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.AddPairwise(x, y)
            : PlainPairs(x, y);
    }

    /// <summary>Bytes by their rounded mean.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Average(Vector128<byte> x, Vector128<byte> y) =>
        Sse2.IsSupported ? Sse2.Average(x, y)
            : AdvSimd.IsSupported ? AdvSimd.FusedAddRoundedHalving(x, y)
            : (x | y) - ((x ^ y) >> 1);

    /// <summary>Sums of absolute differences of the lower and of the upper eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<long> Differences(Vector128<byte> x, Vector128<byte> y)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.SumAbsoluteDifferences(x, y).AsInt64();
        }

        var bytes = Vector128.Max(x, y) - Vector128.Min(x, y);
        if (AdvSimd.IsSupported)
        {
            return AdvSimd.AddPairwiseWidening(AdvSimd.AddPairwiseWidening(AdvSimd.AddPairwiseWidening(bytes))).AsInt64();
        }

        return Vector128.Create((long)Vector128.Sum(Vector128.WidenLower(bytes)), Vector128.Sum(Vector128.WidenUpper(bytes)));
    }

    /// <summary>The smallest lane in bits 0 to 15, its index above; of equal ones the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Smallest(Vector128<ushort> x)
    {
        if (Sse41.IsSupported)
        {
            return Sse41.MinHorizontal(x).AsUInt32().ToScalar();
        }

        uint least = x.GetElement(0);
        for (uint i = 1; i < 8; i++)
        {
            var value = x.GetElement((int)i) | i << 16;
            least = (ushort)value < (ushort)least ? value : least;
        }

        return least;
    }

    /// <summary>Lanes of the lower halves of both, in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ZipLow(Vector128<byte> x, Vector128<byte> y) =>
        Sse2.IsSupported ? Sse2.UnpackLow(x, y)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
            : (Vector128.WidenLower(x) | Vector128.WidenLower(y) << 8).AsByte();

    /// <summary>Lanes of the upper halves of both, in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ZipHigh(Vector128<byte> x, Vector128<byte> y) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(x, y)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
            : (Vector128.WidenUpper(x) | Vector128.WidenUpper(y) << 8).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> ZipLow(Vector128<short> x, Vector128<short> y) =>
        Sse2.IsSupported ? Sse2.UnpackLow(x, y)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
            : (Vector128.WidenLower(x.AsUInt16()) | Vector128.WidenLower(y.AsUInt16()) << 16).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> ZipHigh(Vector128<short> x, Vector128<short> y) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(x, y)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
            : (Vector128.WidenUpper(x.AsUInt16()) | Vector128.WidenUpper(y.AsUInt16()) << 16).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ZipLow(Vector128<int> x, Vector128<int> y) =>
        Sse2.IsSupported ? Sse2.UnpackLow(x, y)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
            : Vector128.Create(x.GetElement(0), y.GetElement(0), x.GetElement(1), y.GetElement(1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> ZipHigh(Vector128<int> x, Vector128<int> y) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(x, y)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
            : Vector128.Create(x.GetElement(2), y.GetElement(2), x.GetElement(3), y.GetElement(3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<long> ZipLow(Vector128<long> x, Vector128<long> y) => Vector128.Create(x.GetLower(), y.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<long> ZipHigh(Vector128<long> x, Vector128<long> y) => Vector128.Create(x.GetUpper(), y.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> ZipLow(Vector256<short> x, Vector256<short> y) =>
        Avx2.IsSupported ? Avx2.UnpackLow(x, y) : Vector256.Create(ZipLow(x.GetLower(), y.GetLower()), ZipLow(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> ZipHigh(Vector256<short> x, Vector256<short> y) =>
        Avx2.IsSupported ? Avx2.UnpackHigh(x, y) : Vector256.Create(ZipHigh(x.GetLower(), y.GetLower()), ZipHigh(x.GetUpper(),
            y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ZipLow(Vector256<int> x, Vector256<int> y) =>
        Avx2.IsSupported ? Avx2.UnpackLow(x, y) : Vector256.Create(ZipLow(x.GetLower(), y.GetLower()), ZipLow(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ZipHigh(Vector256<int> x, Vector256<int> y) =>
        Avx2.IsSupported ? Avx2.UnpackHigh(x, y) : Vector256.Create(ZipHigh(x.GetLower(), y.GetLower()), ZipHigh(x.GetUpper(),
            y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<long> ZipLow(Vector256<long> x, Vector256<long> y) =>
        Avx2.IsSupported ? Avx2.UnpackLow(x, y) : Vector256.Create(ZipLow(x.GetLower(), y.GetLower()), ZipLow(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<long> ZipHigh(Vector256<long> x, Vector256<long> y) =>
        Avx2.IsSupported ? Avx2.UnpackHigh(x, y) : Vector256.Create(ZipHigh(x.GetLower(), y.GetLower()), ZipHigh(x.GetUpper(),
            y.GetUpper()));

    /// <summary>The two 64-bit halves exchanged.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> SwapHalves(Vector128<short> x) =>
        Vector128.Shuffle(x.AsInt32(), Vector128.Create(2, 3, 0, 1)).AsInt16();

    /// <summary>Minus x where the lane of <paramref name="sign"/> is -1, x where it is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> Negate(Vector128<short> x, Vector128<short> sign) => (x ^ sign) - sign;

    /// <summary>Four vectors of 4×16 bits as four matrices in each half: rows become columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector256<short> r0, ref Vector256<short> r1, ref Vector256<short> r2, ref Vector256<short> r3)
    {
        Vector256<int> a = ZipLow(r0, r1).AsInt32(), b = ZipHigh(r0, r1).AsInt32(), c = ZipLow(r2, r3).AsInt32(),
            d = ZipHigh(r2, r3).AsInt32();
        Vector256<long> e = ZipLow(a, c).AsInt64(), f = ZipHigh(a, c).AsInt64(), g = ZipLow(b, d).AsInt64(), h = ZipHigh(b, d).AsInt64();
        (r0, r1, r2, r3) = (ZipLow(e, g).AsInt16(), ZipHigh(e, g).AsInt16(), ZipLow(f, h).AsInt16(), ZipHigh(f, h).AsInt16());
    }

    /// <summary>One 4×4 matrix of 16 bits, rows 0 and 1 in the first vector and 2 and 3 in the second: rows become columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector128<short> r01, ref Vector128<short> r23)
    {
        var order = Vector128.Create((byte)0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
        Vector128<int> a = Vector128.Shuffle(r01.AsByte(), order).AsInt32(), b = Vector128.Shuffle(r23.AsByte(), order).AsInt32();
        (r01, r23) = (ZipLow(a, b).AsInt16(), ZipHigh(a, b).AsInt16());
    }

    /// <summary>Index after the last lane that is not zero; 0 where all are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Length(Vector256<short> x)
    {
        if (Sse2.IsSupported)
        {
            var bytes = Sse2.PackSignedSaturate(x.GetLower(), x.GetUpper());
            return 32 - BitOperations.LeadingZeroCount(~Vector128.Equals(bytes,
                Vector128<sbyte>.Zero).ExtractMostSignificantBits() & 0xFFFF);
        }

        return 32 - BitOperations.LeadingZeroCount(~Vector256.Equals(x, Vector256<short>.Zero).ExtractMostSignificantBits() & 0xFFFF);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> PlainPairs(Vector128<int> x, Vector128<int> y) =>
        Vector128.Create(x.GetElement(0) + x.GetElement(1), x.GetElement(2) + x.GetElement(3), y.GetElement(0) + y.GetElement(1),
            y.GetElement(2) + y.GetElement(3));
}
