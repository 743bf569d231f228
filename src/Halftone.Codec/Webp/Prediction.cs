using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>Predictions of a whole macroblock's luma and chroma (RFC 6386, section 12.2 and 12.3).</summary>
internal static class Prediction
{
    /// <summary>Predicts 16 rows of luma.</summary>
    /// <param name="mode">One of <see cref="BlockMode"/>.</param>
    /// <param name="canvas">Has the neighbours.</param>
    /// <param name="target">Takes the rows, <see cref="Canvas.Stride"/> apart, from <see cref="Canvas.Start"/> on; may be the canvas
    /// itself.</param>
    public static void Luma(int mode, Canvas canvas, Span<byte> target)
    {
        var around = canvas.Luma;
        var above = Lanes.Load(around, Canvas.Start - Canvas.Stride);
        switch (mode)
        {
            case BlockMode.Dc:
                Fill(target, Vector128.Create(LumaDc(canvas, above)));
                break;
            case BlockMode.TrueMotion:
                var slope = Lanes.Widen(above) - Vector256.Create((short)around[Canvas.Start - Canvas.Stride - 1]);
                for (int y = 0, at = Canvas.Start; y < 16; y++, at += Canvas.Stride)
                {
                    var row = slope + Vector256.Create((short)around[at - 1]);
                    Lanes.Store(Lanes.PackClamped(row.GetLower(), row.GetUpper()), target, at);
                }

                break;
            case BlockMode.Vertical:
                Fill(target, above);
                break;
            default:
                for (int y = 0, at = Canvas.Start; y < 16; y++, at += Canvas.Stride)
                {
                    Lanes.Store(Vector128.Create(around[at - 1]), target, at);
                }

                break;
        }
    }

    /// <summary>Predicts 8 rows of both chroma planes, U in the left half and V in the right.</summary>
    /// <param name="mode">One of <see cref="BlockMode"/>.</param>
    /// <param name="canvas">Has the neighbours.</param>
    /// <param name="target">As in <see cref="Luma"/>.</param>
    public static void Chroma(int mode, Canvas canvas, Span<byte> target)
    {
        var left = canvas.ChromaLeft.AsSpan(0, 18);
        var above = Lanes.Load(canvas.Chroma, Canvas.Start - Canvas.Stride);
        switch (mode)
        {
            case BlockMode.Dc:
                FillHalf(target, ChromaDc(canvas, above));
                break;
            case BlockMode.TrueMotion:
                var slope = Lanes.Widen(above) - Vector256.Create(Vector128.Create((short)left[16]), Vector128.Create((short)left[17]));
                for (int y = 0, at = Canvas.Start; y < 8; y++, at += Canvas.Stride)
                {
                    var row = Lanes.PackClamped(slope.GetLower() + Vector128.Create((short)left[y]), slope.GetUpper()
                        + Vector128.Create((short)left[8 + y]));
                    Lanes.Store(row, target, at);
                }

                break;
            case BlockMode.Vertical:
                FillHalf(target, above);
                break;
            default:
                for (int y = 0, at = Canvas.Start; y < 8; y++, at += Canvas.Stride)
                {
                    Lanes.Store(Vector128.Create(Vector64.Create(left[y]), Vector64.Create(left[8 + y])), target, at);
                }

                break;
        }
    }

    private static byte LumaDc(Canvas canvas, Vector128<byte> above)
    {
        int sum = 0, shift = 3;
        if (canvas.HasAbove)
        {
            sum += (int)Vector128.Sum(Lanes.Differences(above, Vector128<byte>.Zero));
            shift++;
        }

        if (canvas.HasLeft)
        {
            for (int y = 0, at = Canvas.Start - 1; y < 16; y++, at += Canvas.Stride)
            {
                sum += canvas.Luma[at];
            }

            shift++;
        }

        return shift == 3 ? (byte)128 : (byte)((sum + (1 << (shift - 1))) >> shift);
    }

    private static Vector128<byte> ChromaDc(Canvas canvas, Vector128<byte> above)
    {
        if (!canvas.HasAbove && !canvas.HasLeft)
        {
            return Vector128.Create((byte)128);
        }

        Vector128<long> top = Lanes.Differences(above, Vector128<byte>.Zero),
            left = Lanes.Differences(Lanes.Load(canvas.ChromaLeft, 0), Vector128<byte>.Zero);
        var sums = canvas.HasAbove && canvas.HasLeft ? (top + left + Vector128.Create(8L)) >> 4
            : ((canvas.HasAbove ? top : left) + Vector128.Create(4L)) >> 3;
        return Vector128.Create(Vector64.Create((byte)sums.GetElement(0)), Vector64.Create((byte)sums.GetElement(1)));
    }

    private static void Fill(Span<byte> target, Vector128<byte> row)
    {
        for (int y = 0, at = Canvas.Start; y < 16; y++, at += Canvas.Stride)
        {
            Lanes.Store(row, target, at);
        }
    }

    private static void FillHalf(Span<byte> target, Vector128<byte> row)
    {
        for (int y = 0, at = Canvas.Start; y < 8; y++, at += Canvas.Stride)
        {
            Lanes.Store(row, target, at);
        }
    }
}

/// <summary>
/// Predictions of one 4×4 block of luma (RFC 6386, section 12.3). All but two modes take each sample from the edge itself or from a mean
/// of two or three
/// neighbours on it, so a prediction is a byte shuffle of those means. The edge is L L K J I X A B C D E F G H H: from the left column's
/// lowest sample
/// over the corner to the last one above and to the right.
/// </summary>
internal readonly ref struct SubPrediction
{
    private const byte None = 0x80;

    /// <summary>Which mean of three each sample is, by mode; the mean at n is around the edge's place n + 1.</summary>
    private static ReadOnlySpan<byte> Threes =>
    [
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8,
        3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0,
        4, 5, 6, 7, 3, 4, 5, 6, 2, 3, 4, 5, 1, 2, 3, 4,
        None, None, None, None, 4, 5, 6, 7, 3, None, None, None, 2, 4, 5, 6,
        6, 7, 8, 9, 7, 8, 9, 10, 8, 9, 10, 11, 9, 10, 11, 12,
        None, None, None, None, 6, 7, 8, 9, None, None, None, 10, 7, 8, 9, 11,
        None, 4, 5, 6, None, 3, None, 4, None, 2, None, 3, None, 1, None, 2,
        None, 2, None, 1, None, 1, None, 0, None, 0, None, None, None, None, None, None,
    ];

    /// <summary>Which mean of two, where it is none of three.</summary>
    private static ReadOnlySpan<byte> Twos =>
    [
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        5, 6, 7, 8, None, None, None, None, None, 5, 6, 7, None, None, None, None,
        None, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        6, 7, 8, 9, None, None, None, None, 7, 8, 9, None, None, None, None, None,
        4, None, None, None, 3, None, 4, None, 2, None, 3, None, 1, None, 2, None,
        3, None, 2, None, 2, None, 1, None, 1, None, 0, 0, 0, 0, 0, 0,
    ];

    private readonly Vector128<byte> edge, twos, threes;

    /// <param name="canvas">Samples around the block.</param>
    /// <param name="at">Of the block's first one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SubPrediction(ReadOnlySpan<byte> canvas, int at)
    {
        var above = Vector128.Shuffle(Lanes.Load(canvas, at - Canvas.Stride - 1),
            Vector128.Create((byte)255, 255, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8));
        var left = (uint)(canvas[at + 3 * Canvas.Stride - 1] | canvas[at + 2 * Canvas.Stride - 1] << 8
            | canvas[at + Canvas.Stride - 1] << 16 | canvas[at - 1] << 24);
        edge = above | Vector128.Shuffle(
            Vector128.CreateScalar(left).AsByte(), Vector128.Create((byte)0, 0, 1, 2, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                255, 255));
        var next = Vector128.Shuffle(edge, Vector128.Create((byte)1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255));
        var afterNext = Vector128.Shuffle(edge, Vector128.Create((byte)2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255, 255));
        twos = Lanes.Average(edge, next);
        // (a + 2 b + c + 2) / 4 is the rounded mean of b and of the mean of a and c that is rounded down.
        threes = Lanes.Average(Lanes.Average(edge, afterNext) - ((edge ^ afterNext) & Vector128<byte>.One), next);
    }

    /// <summary>The 16 samples in raster order.</summary>
    /// <param name="mode">One of <see cref="SubMode"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> Of(int mode) => mode > SubMode.TrueMotion ? Directional(mode) : mode == SubMode.Dc ? Dc() : TrueMotion();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> Directional(int mode) =>
        Vector128.ShuffleNative(threes, Lanes.Load(Threes, mode * 16)) | Vector128.ShuffleNative(twos, Lanes.Load(Twos, mode * 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> Dc()
    {
        var eight = edge & Vector128.Create((byte)0, 255, 255, 255, 255, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0);
        var sums = Lanes.Differences(eight, Vector128<byte>.Zero);
        return Vector128.Create((byte)((sums.GetElement(0) + sums.GetElement(1) + 4) >> 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> TrueMotion()
    {
        var above = Vector128.Shuffle(edge, Vector128.Create((byte)6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9));
        var left = Vector128.Shuffle(edge, Vector128.Create((byte)4, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1));
        var corner = Vector128.Shuffle(edge, Vector128.Create((byte)5));
        var sum = Lanes.Widen(above) + Lanes.Widen(left) - Lanes.Widen(corner);
        return Lanes.PackClamped(sum.GetLower(), sum.GetUpper());
    }
}
