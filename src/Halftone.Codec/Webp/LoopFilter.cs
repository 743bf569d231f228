using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>Smooths a macroblock's edges in the planes (RFC 6386, section 15). Vertical edges are filtered in a transposed copy.</summary>
internal static class LoopFilter
{
    /// <summary>Luma by the simple filter.</summary>
    /// <param name="plane">Of luma.</param>
    /// <param name="stride">Its bytes a row.</param>
    /// <param name="at">Of the macroblock's first sample.</param>
    /// <param name="hasLeft">There is a macroblock at the left.</param>
    /// <param name="hasAbove">There is one above.</param>
    /// <param name="strength">Of the macroblock.</param>
    [SkipLocalsInit]
    public static void Simple(Span<byte> plane, int stride, int at, bool hasLeft, bool hasAbove, FilterStrength strength)
    {
        Span<byte> turned = stackalloc byte[20 * 16];
        if (hasLeft || strength.HasInner)
        {
            Transpose16(plane, at, stride, turned, 64, 16);
            if (hasLeft)
            {
                ReadColumns(plane, at - 4, stride, turned);
                Simple(turned, 64, 16, strength.Limit + 4);
                WriteColumns(turned, plane, at - 4, stride);
            }

            for (var edge = 128; strength.HasInner && edge < 320; edge += 64)
            {
                Simple(turned, edge, 16, strength.Limit);
            }

            Transpose16(turned, 64, 16, plane, at, stride);
        }

        if (hasAbove)
        {
            Simple(plane, at, stride, strength.Limit + 4);
        }

        for (var row = 4; strength.HasInner && row < 16; row += 4)
        {
            Simple(plane, at + row * stride, stride, strength.Limit);
        }
    }

    /// <summary>
    /// Luma by the normal filter; parameters as in <see cref="Simple(Span{byte}, int, int, bool, bool, FilterStrength)"/>.
    /// </summary>
    [SkipLocalsInit]
    public static void Luma(Span<byte> plane, int stride, int at, bool hasLeft, bool hasAbove, FilterStrength strength)
    {
        Span<byte> turned = stackalloc byte[20 * 16];
        if (strength.HasInner)
        {
            Transpose16(plane, at, stride, turned, 64, 16);
            if (hasLeft)
            {
                ReadColumns(plane, at - 4, stride, turned);
                Outer(turned, 64, 16, strength);
                WriteColumns(turned, plane, at - 4, stride);
            }

            Inner(turned, 128, 16, strength);
            Inner(turned, 192, 16, strength);
            Inner(turned, 256, 16, strength);
            Transpose16(turned, 64, 16, plane, at, stride);
        }
        else if (hasLeft)
        {
            ReadColumns(plane, at - 4, stride, turned);
            ReadColumns(plane, at, stride, turned[64..]);
            Outer(turned, 64, 16, strength);
            WriteColumns(turned, plane, at - 4, stride);
            WriteColumns(turned[64..], plane, at, stride);
        }

        if (hasAbove)
        {
            Outer(plane, at, stride, strength);
        }

        for (var row = 4; strength.HasInner && row < 16; row += 4)
        {
            Inner(plane, at + row * stride, stride, strength);
        }
    }

    /// <summary>Both chroma planes by the normal filter, U in the lower half of each vector and V in the upper.</summary>
    [SkipLocalsInit]
    public static void Chroma(Span<byte> u, Span<byte> v, int stride, int at, bool hasLeft, bool hasAbove, FilterStrength strength)
    {
        Span<byte> turned = stackalloc byte[12 * 16];
        if (hasLeft || strength.HasInner)
        {
            ReadColumns(u, v, at, stride, turned[64..]);
            if (hasLeft)
            {
                ReadColumns(u, v, at - 4, stride, turned);
                Outer(turned, 64, 16, strength);
                WriteColumns(turned, u, v, at - 4, stride);
            }

            if (strength.HasInner)
            {
                ReadColumns(u, v, at + 4, stride, turned[128..]);
                Inner(turned, 128, 16, strength);
                WriteColumns(turned[128..], u, v, at + 4, stride);
            }

            WriteColumns(turned[64..], u, v, at, stride);
        }

        if (hasAbove)
        {
            OuterAbove(u, v, at, stride, strength);
        }

        if (strength.HasInner)
        {
            InnerBelow(u, v, at + 4 * stride, stride, strength);
        }
    }

    private static void OuterAbove(Span<byte> u, Span<byte> v, int at, int stride, FilterStrength strength)
    {
        var p3 = Lanes.Both(u, v, at - 4 * stride);
        var p2 = Lanes.Both(u, v, at - 3 * stride);
        var p1 = Lanes.Both(u, v, at - 2 * stride);
        var p0 = Lanes.Both(u, v, at - stride);
        var q0 = Lanes.Both(u, v, at);
        var q1 = Lanes.Both(u, v, at + stride);
        var q2 = Lanes.Both(u, v, at + 2 * stride);
        EdgeFilter.Outer(p3, ref p2, ref p1, ref p0, ref q0, ref q1, ref q2, Lanes.Both(u, v, at + 3 * stride), strength);
        Put(p2, u, v, at - 3 * stride);
        Put(p1, u, v, at - 2 * stride);
        Put(p0, u, v, at - stride);
        Put(q0, u, v, at);
        Put(q1, u, v, at + stride);
        Put(q2, u, v, at + 2 * stride);
    }

    private static void InnerBelow(Span<byte> u, Span<byte> v, int at, int stride, FilterStrength strength)
    {
        var p1 = Lanes.Both(u, v, at - 2 * stride);
        var p0 = Lanes.Both(u, v, at - stride);
        var q0 = Lanes.Both(u, v, at);
        var q1 = Lanes.Both(u, v, at + stride);
        EdgeFilter.Inner(
            Lanes.Both(u, v, at - 4 * stride), Lanes.Both(u, v, at - 3 * stride), ref p1, ref p0,
            ref q0, ref q1, Lanes.Both(u, v, at + 2 * stride), Lanes.Both(u, v, at + 3 * stride), strength);
        Put(p1, u, v, at - 2 * stride);
        Put(p0, u, v, at - stride);
        Put(q0, u, v, at);
        Put(q1, u, v, at + stride);
    }

    private static void Simple(Span<byte> rows, int at, int stride, int limit)
    {
        Vector128<byte> p0 = Lanes.Load(rows, at - stride), q0 = Lanes.Load(rows, at);
        EdgeFilter.Simple(Lanes.Load(rows, at - 2 * stride), ref p0, ref q0, Lanes.Load(rows, at + stride), limit);
        Lanes.Store(p0, rows, at - stride);
        Lanes.Store(q0, rows, at);
    }

    private static void Outer(Span<byte> rows, int at, int stride, FilterStrength strength)
    {
        Vector128<byte> p2 = Lanes.Load(rows, at - 3 * stride), p1 = Lanes.Load(rows, at - 2 * stride), p0 = Lanes.Load(rows, at - stride);
        Vector128<byte> q0 = Lanes.Load(rows, at), q1 = Lanes.Load(rows, at + stride), q2 = Lanes.Load(rows, at + 2 * stride);
        EdgeFilter.Outer(
            Lanes.Load(rows, at - 4 * stride), ref p2, ref p1, ref p0, ref q0, ref q1, ref q2, Lanes.Load(rows, at + 3 * stride), strength);
        Lanes.Store(p2, rows, at - 3 * stride);
        Lanes.Store(p1, rows, at - 2 * stride);
        Lanes.Store(p0, rows, at - stride);
        Lanes.Store(q0, rows, at);
        Lanes.Store(q1, rows, at + stride);
        Lanes.Store(q2, rows, at + 2 * stride);
    }

    private static void Inner(Span<byte> rows, int at, int stride, FilterStrength strength)
    {
        Vector128<byte> p1 = Lanes.Load(rows, at - 2 * stride), p0 = Lanes.Load(rows, at - stride);
        Vector128<byte> q0 = Lanes.Load(rows, at), q1 = Lanes.Load(rows, at + stride);
        EdgeFilter.Inner(
            Lanes.Load(rows, at - 4 * stride), Lanes.Load(rows, at - 3 * stride), ref p1, ref p0,
            ref q0, ref q1, Lanes.Load(rows, at + 2 * stride), Lanes.Load(rows, at + 3 * stride), strength);
        Lanes.Store(p1, rows, at - 2 * stride);
        Lanes.Store(p0, rows, at - stride);
        Lanes.Store(q0, rows, at);
        Lanes.Store(q1, rows, at + stride);
    }

    /// <summary>16×16 bytes, rows to columns: four rounds of interleaving rows i and i + 8.</summary>
    [SkipLocalsInit]
    private static void Transpose16(ReadOnlySpan<byte> from, int fromAt, int fromStride, Span<byte> to, int toAt, int toStride)
    {
        Span<Vector128<byte>> a = stackalloc Vector128<byte>[16], b = stackalloc Vector128<byte>[16];
        for (var i = 0; i < 8; i++)
        {
            Vector128<byte> x = Lanes.Load(from, fromAt + i * fromStride), y = Lanes.Load(from, fromAt + (i + 8) * fromStride);
            (a[2 * i], a[2 * i + 1]) = (Lanes.ZipLow(x, y), Lanes.ZipHigh(x, y));
        }

        Zip(a, b);
        Zip(b, a);
        for (var i = 0; i < 8; i++)
        {
            Lanes.Store(Lanes.ZipLow(a[i], a[i + 8]), to, toAt + 2 * i * toStride);
            Lanes.Store(Lanes.ZipHigh(a[i], a[i + 8]), to, toAt + (2 * i + 1) * toStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Zip(Span<Vector128<byte>> from, Span<Vector128<byte>> to)
    {
        for (var i = 0; i < 8; i++)
        {
            (to[2 * i], to[2 * i + 1]) = (Lanes.ZipLow(from[i], from[i + 8]), Lanes.ZipHigh(from[i], from[i + 8]));
        }
    }

    /// <summary>Four columns of 16 rows to four vectors.</summary>
    private static void ReadColumns(ReadOnlySpan<byte> plane, int at, int stride, Span<byte> columns) => ReadColumns(
        Lanes.LoadBlock(plane, at, 4 * stride), Lanes.LoadBlock(plane, at + stride, 4 * stride),
        Lanes.LoadBlock(plane, at + 2 * stride, 4 * stride), Lanes.LoadBlock(plane, at + 3 * stride, 4 * stride), columns);

    /// <summary>Four columns of eight rows of both planes to four vectors.</summary>
    private static void ReadColumns(ReadOnlySpan<byte> u, ReadOnlySpan<byte> v, int at, int stride, Span<byte> columns)
    {
        ReadColumns(Rows(u, v, at, stride), Rows(u, v, at + stride, stride), Rows(u, v, at + 2 * stride, stride),
            Rows(u, v, at + 3 * stride, stride), columns);

        static Vector128<byte> Rows(ReadOnlySpan<byte> u, ReadOnlySpan<byte> v, int at, int stride) =>
            Vector128.Create(Lanes.Load4(u, at), Lanes.Load4(u, at + 4 * stride), Lanes.Load4(v, at),
                Lanes.Load4(v, at + 4 * stride)).AsByte();
    }

    /// <param name="r0">Rows 0, 4, 8 and 12, four bytes each.</param>
    /// <param name="r1">Rows 1, 5, 9 and 13.</param>
    /// <param name="r2">Rows 2, 6, 10 and 14.</param>
    /// <param name="r3">Rows 3, 7, 11 and 15.</param>
    /// <param name="columns">Takes four columns of sixteen.</param>
    private static void ReadColumns(Vector128<byte> r0, Vector128<byte> r1, Vector128<byte> r2, Vector128<byte> r3, Span<byte> columns)
    {
        // Rows by fours, each four turned by a shuffle, then the same again by 32 bits.
        Vector128<int> a = Lanes.ZipLow(r0.AsInt32(), r1.AsInt32()), b = Lanes.ZipHigh(r0.AsInt32(), r1.AsInt32());
        Vector128<int> c = Lanes.ZipLow(r2.AsInt32(), r3.AsInt32()), d = Lanes.ZipHigh(r2.AsInt32(), r3.AsInt32());
        Vector128<int> g0 = Turn(Lanes.ZipLow(a.AsInt64(), c.AsInt64())), g1 = Turn(Lanes.ZipHigh(a.AsInt64(), c.AsInt64()));
        Vector128<int> g2 = Turn(Lanes.ZipLow(b.AsInt64(), d.AsInt64())), g3 = Turn(Lanes.ZipHigh(b.AsInt64(), d.AsInt64()));
        Vector128<long> low01 = Lanes.ZipLow(g0, g1).AsInt64(), high01 = Lanes.ZipHigh(g0, g1).AsInt64();
        Vector128<long> low23 = Lanes.ZipLow(g2, g3).AsInt64(), high23 = Lanes.ZipHigh(g2, g3).AsInt64();
        Lanes.Store(Lanes.ZipLow(low01, low23).AsByte(), columns, 0);
        Lanes.Store(Lanes.ZipHigh(low01, low23).AsByte(), columns, 16);
        Lanes.Store(Lanes.ZipLow(high01, high23).AsByte(), columns, 32);
        Lanes.Store(Lanes.ZipHigh(high01, high23).AsByte(), columns, 48);

        static Vector128<int> Turn(Vector128<long> block) =>
            Vector128.Shuffle(block.AsByte(), Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)).AsInt32();
    }

    private static void WriteColumns(ReadOnlySpan<byte> columns, Span<byte> plane, int at, int stride)
    {
        WriteColumns(columns, out var r0, out var r4, out var r8, out var r12);
        Lanes.StoreBlock(r0, plane, at, stride);
        Lanes.StoreBlock(r4, plane, at + 4 * stride, stride);
        Lanes.StoreBlock(r8, plane, at + 8 * stride, stride);
        Lanes.StoreBlock(r12, plane, at + 12 * stride, stride);
    }

    private static void WriteColumns(ReadOnlySpan<byte> columns, Span<byte> u, Span<byte> v, int at, int stride)
    {
        WriteColumns(columns, out var r0, out var r4, out var r8, out var r12);
        Lanes.StoreBlock(r0, u, at, stride);
        Lanes.StoreBlock(r4, u, at + 4 * stride, stride);
        Lanes.StoreBlock(r8, v, at, stride);
        Lanes.StoreBlock(r12, v, at + 4 * stride, stride);
    }

    /// <summary>Four columns of sixteen to rows of four bytes, four rows a vector.</summary>
    private static void WriteColumns(ReadOnlySpan<byte> columns, out Vector128<byte> r0, out Vector128<byte> r4, out Vector128<byte> r8,
        out Vector128<byte> r12)
    {
        Vector128<byte> c0 = Lanes.Load(columns, 0), c1 = Lanes.Load(columns, 16), c2 = Lanes.Load(columns, 32),
            c3 = Lanes.Load(columns, 48);
        Vector128<short> a = Lanes.ZipLow(c0, c1).AsInt16(), b = Lanes.ZipHigh(c0, c1).AsInt16(), c = Lanes.ZipLow(c2, c3).AsInt16(),
            d = Lanes.ZipHigh(c2, c3).AsInt16();
        (r0, r4, r8, r12) = (Lanes.ZipLow(a, c).AsByte(), Lanes.ZipHigh(a, c).AsByte(), Lanes.ZipLow(b, d).AsByte(),
            Lanes.ZipHigh(b, d).AsByte());
    }

    private static void Put(Vector128<byte> rows, Span<byte> u, Span<byte> v, int at)
    {
        Lanes.Store8(rows.AsUInt64().GetElement(0), u, at);
        Lanes.Store8(rows.AsUInt64().GetElement(1), v, at);
    }
}
