using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>
/// The arithmetic of the loop filter (RFC 6386, section 15), for sixteen places along an edge at a time: p before it, q behind it.
/// </summary>
internal static class EdgeFilter
{
    private static Vector128<byte> Flip => Vector128.Create((byte)0x80);

    /// <summary>Two samples on each side of the edge are read, one changes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Simple(Vector128<byte> p1, ref Vector128<byte> p0, ref Vector128<byte> q0, Vector128<byte> q1, int limit)
    {
        var isEdge = IsWithin(p1, p0, q0, q1, limit);
        Vector128<sbyte> sp0 = Signed(p0), sq0 = Signed(q0);
        var change = Change(Vector128.SubtractSaturate(Signed(p1), Signed(q1)), sp0, sq0) & isEdge.AsSByte();
        Move(change, ref sp0, ref sq0);
        (p0, q0) = (Unsigned(sp0), Unsigned(sq0));
    }

    /// <summary>An edge within a macroblock: two samples on each side change, or one where the picture itself changes fast.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Inner(
        Vector128<byte> p3, Vector128<byte> p2, ref Vector128<byte> p1, ref Vector128<byte> p0,
        ref Vector128<byte> q0, ref Vector128<byte> q1, Vector128<byte> q2, Vector128<byte> q3, FilterStrength strength)
    {
        var isEdge = IsWithin(p1, p0, q0, q1, strength.Limit) & IsCalm(p3, p2, p1, p0, q0, q1, q2, q3, strength.InnerLimit);
        var isSlow = IsSlow(p1, p0, q0, q1, strength.HighVariance);
        Vector128<sbyte> sp1 = Signed(p1), sp0 = Signed(p0), sq0 = Signed(q0), sq1 = Signed(q1);
        var outer = Vector128.AndNot(Vector128.SubtractSaturate(sp1, sq1), isSlow.AsSByte());
        var change = Change(outer, sp0, sq0) & isEdge.AsSByte();
        var moved = Move(change, ref sp0, ref sq0);
        // Half of it, rounded up: the mean with 0, both as unsigned numbers.
        var half = Signed(Lanes.Average(Unsigned(moved), Flip)) & isSlow.AsSByte();
        (p0, q0) = (Unsigned(sp0), Unsigned(sq0));
        (p1, q1) = (Unsigned(Vector128.AddSaturate(sp1, half)), Unsigned(Vector128.SubtractSaturate(sq1, half)));
    }

    /// <summary>An edge between macroblocks: three samples on each side change, or one where the picture itself changes fast.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Outer(
        Vector128<byte> p3, ref Vector128<byte> p2, ref Vector128<byte> p1, ref Vector128<byte> p0,
        ref Vector128<byte> q0, ref Vector128<byte> q1, ref Vector128<byte> q2, Vector128<byte> q3, FilterStrength strength)
    {
        var isEdge = IsWithin(p1, p0, q0, q1, strength.Limit + 4) & IsCalm(p3, p2, p1, p0, q0, q1, q2, q3, strength.InnerLimit);
        var isSlow = IsSlow(p1, p0, q0, q1, strength.HighVariance).AsSByte();
        Vector128<sbyte> sp2 = Signed(p2), sp1 = Signed(p1), sp0 = Signed(p0), sq0 = Signed(q0), sq1 = Signed(q1), sq2 = Signed(q2);
        var change = Change(Vector128.SubtractSaturate(sp1, sq1), sp0, sq0) & isEdge.AsSByte();
        Move(Vector128.AndNot(change, isSlow), ref sp0, ref sq0);
        var (low, high) = Vector128.Widen(change & isSlow);
        (low, high) = (low * 9, high * 9);
        var round = Vector128.Create((short)63);
        var third = Share(low + round, high + round);
        var second = Share(low + low + round, high + high + round);
        var first = Share(low + low + low + round, high + high + high + round);
        (p0, q0) = (Unsigned(Vector128.AddSaturate(sp0, first)), Unsigned(Vector128.SubtractSaturate(sq0, first)));
        (p1, q1) = (Unsigned(Vector128.AddSaturate(sp1, second)), Unsigned(Vector128.SubtractSaturate(sq1, second)));
        (p2, q2) = (Unsigned(Vector128.AddSaturate(sp2, third)), Unsigned(Vector128.SubtractSaturate(sq2, third)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Signed(Vector128<byte> x) => (x ^ Flip).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Unsigned(Vector128<sbyte> x) => x.AsByte() ^ Flip;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Distance(Vector128<byte> x, Vector128<byte> y) => Vector128.Max(x, y) - Vector128.Min(x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> IsAtMost(Vector128<byte> x, int limit) =>
        Vector128.Equals(Vector128.SubtractSaturate(x, Vector128.Create((byte)limit)), Vector128<byte>.Zero);

    /// <summary>2 |p0 − q0| + |p1 − q1| / 2 is at most the limit, which is 193 at most: sums may saturate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> IsWithin(Vector128<byte> p1, Vector128<byte> p0, Vector128<byte> q0, Vector128<byte> q1, int limit)
    {
        var across = Distance(p0, q0);
        return IsAtMost(Vector128.AddSaturate(Vector128.AddSaturate(across, across), Distance(p1, q1) >> 1), limit);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> IsCalm(
        Vector128<byte> p3, Vector128<byte> p2, Vector128<byte> p1, Vector128<byte> p0, Vector128<byte> q0, Vector128<byte> q1,
            Vector128<byte> q2, Vector128<byte> q3, int limit)
    {
        var before = Vector128.Max(Vector128.Max(Distance(p3, p2), Distance(p2, p1)), Distance(p1, p0));
        var behind = Vector128.Max(Vector128.Max(Distance(q3, q2), Distance(q2, q1)), Distance(q1, q0));
        return IsAtMost(Vector128.Max(before, behind), limit);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> IsSlow(Vector128<byte> p1, Vector128<byte> p0, Vector128<byte> q0, Vector128<byte> q1, int threshold) =>
        IsAtMost(Vector128.Max(Distance(p1, p0), Distance(q1, q0)), threshold);

    /// <summary>outer + 3 (q0 − p0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Change(Vector128<sbyte> outer, Vector128<sbyte> p0, Vector128<sbyte> q0)
    {
        var across = Vector128.SubtractSaturate(q0, p0);
        return Vector128.AddSaturate(Vector128.AddSaturate(Vector128.AddSaturate(outer, across), across), across);
    }

    /// <summary>Moves the two nearest samples towards each other; returns what q0 moved by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Move(Vector128<sbyte> change, ref Vector128<sbyte> p0, ref Vector128<sbyte> q0)
    {
        var behind = Vector128.AddSaturate(change, Vector128.Create((sbyte)4)) >> 3;
        var before = Vector128.AddSaturate(change, Vector128.Create((sbyte)3)) >> 3;
        q0 = Vector128.SubtractSaturate(q0, behind);
        p0 = Vector128.AddSaturate(p0, before);
        return behind;
    }

    /// <summary>x / 128.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Share(Vector128<short> low, Vector128<short> high) =>
        Vector128.NarrowWithSaturation(low >> 7, high >> 7);
}
