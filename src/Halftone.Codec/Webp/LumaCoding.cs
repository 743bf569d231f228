using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>A macroblock's samples in the planes that are encoded.</summary>
internal readonly ref struct SourceBlock(Planes planes, int column, int row)
{
    public ReadOnlySpan<byte> Luma { get; } = planes.Luma;

    public ReadOnlySpan<byte> U { get; } = planes.U;

    public ReadOnlySpan<byte> V { get; } = planes.V;

    public int LumaStride { get; } = planes.LumaStride;

    public int ChromaStride { get; } = planes.ChromaStride;

    /// <summary>Of the first sample of luma.</summary>
    public int LumaAt { get; } = row * 16 * planes.LumaStride + column * 16;

    /// <summary>Of the first sample of either chroma plane.</summary>
    public int ChromaAt { get; } = row * 8 * planes.ChromaStride + column * 8;
}

/// <summary>
/// Luma that is predicted as a whole: the mode is the one of the least Hadamard sum, but on flat ground, where all are tried.
/// </summary>
internal sealed class WholeLuma(Canvas canvas, CoefficientModel model)
{
    private WholeCandidate best = new(), other = new();

    /// <summary>Where the Y2 block is among the levels.</summary>
    public const int Y2 = 16;

    public int Mode => best.Mode;

    /// <summary>Sixteen blocks without their DC, then the Y2 block.</summary>
    public BlockLevels Levels => best.Levels;

    /// <summary>Nothing is left to code.</summary>
    public bool IsEmpty => best.IsEmpty;

    /// <summary>Chooses the mode and quantizes.</summary>
    /// <returns>Squared error of coefficients, and bits by their worth.</returns>
    public long Evaluate(in SourceBlock source, SegmentCoding coding, in Neighbours above, in Neighbours left)
    {
        Choose(source, coding);
        var cost = Price(best, source, coding, above, left);
        if (best.HasAc || best.IsEmpty)
        {
            return cost;
        }

        // Flat ground that is wrong by one step hands its error on from macroblock to macroblock, as far as the ground goes.
        int first = best.Mode;
        for (var mode = 0; mode < BlockMode.Count; mode++)
        {
            if (mode == first || !IsUseful(mode))
            {
                continue;
            }

            other.Predict(mode, canvas);
            var otherCost = Price(other, source, coding, above, left);
            if (otherCost < cost)
            {
                cost = otherCost;
                (best, other) = (other, best);
            }
        }

        return cost;
    }

    /// <summary>Puts what the decoder will see on the canvas.</summary>
    public void Rebuild() => best.Rebuild(canvas);

    private void Choose(in SourceBlock source, SegmentCoding coding)
    {
        var least = int.MaxValue;
        for (var mode = 0; mode < BlockMode.Count; mode++)
        {
            if (!IsUseful(mode))
            {
                continue;
            }

            other.Predict(mode, canvas);
            var cost = Hadamard.Sum16(source.Luma, source.LumaAt, source.LumaStride, other.Samples) + coding.LumaCosts[mode];
            if (cost < least)
            {
                least = cost;
                (best, other) = (other, best);
            }
        }
    }

    /// <summary>At the picture's edges it is one of the others.</summary>
    private bool IsUseful(int mode) => mode != BlockMode.TrueMotion || (canvas.HasAbove && canvas.HasLeft);

    private long Price(WholeCandidate candidate, in SourceBlock source, SegmentCoding coding, in Neighbours above, in Neighbours left)
    {
        var error = candidate.Quantize(source, coding, out var errorWithoutLevels);
        var cost = error + coding.Worth(Cost(candidate.Levels, above, left));
        if (!candidate.HasAc && !candidate.IsEmpty && errorWithoutLevels <= cost)
        {
            candidate.Empty();
            cost = errorWithoutLevels;
        }

        return cost + coding.Worth(ModeCosts.Luma[candidate.Mode]);
    }

    private int Cost(BlockLevels levels, in Neighbours above, in Neighbours left)
    {
        var cost = model.Cost(BlockType.Y2, levels.Block(Y2), 0, levels.Lengths[Y2], above[Neighbours.Y2] + left[Neighbours.Y2]);
        var tops = above;
        for (var y = 0; y < 4; y++)
        {
            int before = left[y];
            for (var x = 0; x < 4; x++)
            {
                int b = 4 * y + x, length = levels.Lengths[b];
                cost += model.Cost(BlockType.WithoutDc, levels.Block(b), 1, length, tops[x] + before);
                before = length > 1 ? 1 : 0;
                tops[x] = (byte)before;
            }
        }

        return cost;
    }
}

/// <summary>One prediction of a whole macroblock's luma, and what is left to code.</summary>
internal sealed class WholeCandidate
{
    private readonly short[] back = new short[256];
    private readonly short[] dc = new short[16];
    private readonly short[] y2 = new short[16];

    public int Mode { get; private set; }

    /// <summary>The prediction, as <see cref="Prediction"/> writes it.</summary>
    public byte[] Samples { get; } = new byte[Canvas.Length];

    public BlockLevels Levels { get; } = new(17);

    /// <summary>More is left than the blocks' DC.</summary>
    public bool HasAc { get; private set; }

    public bool IsEmpty { get; private set; }

    public void Predict(int mode, Canvas canvas)
    {
        Mode = mode;
        Prediction.Luma(mode, canvas, Samples);
    }

    /// <summary>Transforms and quantizes what the prediction lacks.</summary>
    /// <returns>Squared error of coefficients.</returns>
    public long Quantize(in SourceBlock source, SegmentCoding coding, out long errorWithoutLevels)
    {
        var error = QuantizeAc(source, coding);
        var before = Lanes.Load(dc, 0);
        errorWithoutLevels = error + Vector256.Sum(Squares(before));
        QuantizeDc(coding);
        return error + Vector256.Sum(Squares(before - Lanes.Load(dc, 0)));
    }

    /// <summary>Codes nothing; only where there is no AC.</summary>
    public void Empty()
    {
        Levels.Lengths[WholeLuma.Y2] = 0;
        IsEmpty = true;
        Array.Clear(back);
    }

    public void Rebuild(Canvas canvas)
    {
        for (var y = 0; y < 4; y++)
        {
            InverseTransform.AddFour(back.AsSpan(64 * y, 64), Samples, canvas.Luma, Canvas.Start + 4 * y * Canvas.Stride);
        }
    }

    private long QuantizeAc(in SourceBlock source, SegmentCoding coding)
    {
        var withoutDc = Vector256.Create(0, -1, -1, -1, 0, -1, -1, -1, 0, -1, -1, -1, 0, -1, -1, -1).AsInt16();
        var errors = Vector256<int>.Zero;
        var quantizer = coding.Luma;
        HasAc = false;
        for (int y = 0, from = Canvas.Start, at = source.LumaAt; y < 4; y++, from += 4 * Canvas.Stride, at += 4 * source.LumaStride)
        {
            var r0 = Hadamard.Difference(source.Luma, at, Samples, from);
            var r1 = Hadamard.Difference(source.Luma, at + source.LumaStride, Samples, from + Canvas.Stride);
            var r2 = Hadamard.Difference(source.Luma, at + 2 * source.LumaStride, Samples, from + 2 * Canvas.Stride);
            var r3 = Hadamard.Difference(source.Luma, at + 3 * source.LumaStride, Samples, from + 3 * Canvas.Stride);
            ForwardTransform.Four(ref r0, ref r1, ref r2, ref r3);
            (dc[4 * y], dc[4 * y + 1], dc[4 * y + 2], dc[4 * y + 3]) = (r0.GetElement(0), r0.GetElement(4), r0.GetElement(8),
                r0.GetElement(12));
            r0 &= withoutDc;
            Vector256<short> l0 = quantizer.FirstRow(r0), l1 = quantizer.Row(r1), l2 = quantizer.Row(r2), l3 = quantizer.Row(r3);
            Vector256<short> b0 = quantizer.FirstRowBack(l0), b1 = quantizer.RowBack(l1), b2 = quantizer.RowBack(l2),
                b3 = quantizer.RowBack(l3);
            var group = back.AsSpan(64 * y, 64);
            Lanes.Store(b0, group, 0);
            Lanes.Store(b1, group, 16);
            Lanes.Store(b2, group, 32);
            Lanes.Store(b3, group, 48);
            errors += Squares(r0 - b0) + Squares(r1 - b1) + Squares(r2 - b2) + Squares(r3 - b3);
            if ((l0 | l1 | l2 | l3) == Vector256<short>.Zero)
            {
                Levels.Lengths.AsSpan(4 * y, 4).Clear();
                continue;
            }

            HasAc = true;
            Levels.SetFour(4 * y, 4 * y + 2, l0, l1, l2, l3);
        }

        return Vector256.Sum(errors);
    }

    private void QuantizeDc(SegmentCoding coding)
    {
        WalshHadamard.Forward(dc, y2);
        var levels = coding.Y2.Block(Lanes.Load(y2, 0));
        Levels.Set(WholeLuma.Y2, levels);
        IsEmpty = !HasAc && Levels.Lengths[WholeLuma.Y2] == 0;
        if (Levels.Lengths[WholeLuma.Y2] == 0)
        {
            Array.Clear(dc);
        }
        else
        {
            Lanes.Store(coding.Y2.BlockBack(levels), y2, 0);
            WalshHadamard.Inverse(y2, dc);
        }

        for (var b = 0; b < 16; b++)
        {
            back[Coefficients.Luma(b)] = dc[b];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Squares(Vector256<short> errors) => Lanes.PairSums(errors, errors);
}

/// <summary>
/// Luma whose sixteen blocks have modes of their own: the two of the least Hadamard sums are coded, the cheaper one stays.
/// </summary>
internal sealed class SplitLuma(Canvas canvas, CoefficientModel model)
{
    /// <summary>The second mode is tried where its sum is at most this much of the best one's, of 256.</summary>
    private const uint Near = 346;

    private const int NoSecond = 15;

    public SubModes Modes;

    public BlockLevels Levels { get; } = new(16);

    /// <summary>What telling the modes costs, in 1/256 bit.</summary>
    public int ModeCost { get; private set; }

    /// <summary>Chooses modes, quantizes, and rebuilds on the canvas.</summary>
    /// <param name="source">Of the macroblock.</param>
    /// <param name="coding">Of its segment.</param>
    /// <param name="above">Which blocks above have coefficients.</param>
    /// <param name="left">Which at the left.</param>
    /// <param name="modesAbove">The four modes above.</param>
    /// <param name="modesLeft">The four at the left.</param>
    /// <param name="limit">Where it costs as much, it is not finished.</param>
    /// <returns>Squared error of coefficients, and bits by their worth; <see cref="long.MaxValue"/> above the limit.</returns>
    public long Evaluate(
        in SourceBlock source, SegmentCoding coding, in Neighbours above, in Neighbours left, ReadOnlySpan<byte> modesAbove,
            ReadOnlySpan<byte> modesLeft, long limit)
    {
        var tops = above;
        Span<byte> topModes = stackalloc byte[4];
        modesAbove.CopyTo(topModes);
        ModeCost = ModeCosts.Split;
        var cost = coding.Worth(ModeCosts.Split);
        for (var y = 0; y < 4; y++)
        {
            int before = left[y], modeBefore = modesLeft[y];
            for (var x = 0; x < 4; x++)
            {
                var b = 4 * y + x;
                cost += Block(source, coding, b, (topModes[x] * SubMode.Count + modeBefore) * ModeCosts.SubStride, tops[x] + before);
                before = Levels.Lengths[b] > 0 ? 1 : 0;
                tops[x] = (byte)before;
                modeBefore = Modes[b];
                topModes[x] = (byte)modeBefore;
            }

            if (cost >= limit)
            {
                return long.MaxValue;
            }
        }

        return cost;
    }

    [SkipLocalsInit]
    private long Block(in SourceBlock source, SegmentCoding coding, int b, int modeContext, int context)
    {
        var at = Canvas.Start + (b >> 2) * 4 * Canvas.Stride + (b & 3) * 4;
        var samples = Lanes.LoadBlock(source.Luma, source.LumaAt + (b >> 2) * 4 * source.LumaStride + (b & 3) * 4, source.LumaStride);
        var predictions = new SubPrediction(canvas.Luma, at);
        var two = Best(samples, predictions, coding.SubCosts.AsSpan(modeContext, ModeCosts.SubStride));
        int mode = (int)(two & 15), second = (int)(two >> 4);
        var modeCosts = ModeCosts.Sub.Slice(modeContext, ModeCosts.SubStride);

        var prediction = predictions.Of(mode);
        var coefficients = ForwardTransform.One(Lanes.Widen(samples) - Lanes.Widen(prediction));
        var levels = coding.Luma.Block(coefficients);
        var back = coding.Luma.BlockBack(levels);
        Levels.Set(b, levels);
        var cost = Error(coefficients - back) + coding.Worth(modeCosts[mode] + model.Cost(BlockType.WithDc, Levels.Block(b), 0,
            Levels.Lengths[b], context));
        if (second != NoSecond && Levels.Lengths[b] > 0)
        {
            var otherPrediction = predictions.Of(second);
            coefficients = ForwardTransform.One(Lanes.Widen(samples) - Lanes.Widen(otherPrediction));
            var otherLevels = coding.Luma.Block(coefficients);
            var otherBack = coding.Luma.BlockBack(otherLevels);
            var ordered = BlockLevels.InOrder(otherLevels);
            var length = Lanes.Length(ordered);
            Span<short> inOrder = stackalloc short[16];
            Lanes.Store(ordered, inOrder, 0);
            var otherCost = Error(coefficients - otherBack) + coding.Worth(modeCosts[second] + model.Cost(BlockType.WithDc, inOrder, 0,
                length, context));
            if (otherCost < cost)
            {
                (cost, mode, prediction, back) = (otherCost, second, otherPrediction, otherBack);
                Levels.SetOrdered(b, ordered, length);
            }
        }

        var rebuilt = Levels.Lengths[b] == 0 ? prediction : InverseTransform.Add(back.GetLower(), back.GetUpper(), prediction);
        Lanes.StoreBlock(rebuilt, canvas.Luma, at, Canvas.Stride);
        Modes[b] = (byte)mode;
        ModeCost += modeCosts[mode];
        return cost;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Error(Vector256<short> errors) => Vector256.Sum(Lanes.PairSums(errors, errors));

    /// <summary>The best of all ten modes in bits 0 to 3, the second best above, where it is near enough.</summary>
    private static uint Best(Vector128<byte> samples, in SubPrediction predictions, ReadOnlySpan<ushort> costs)
    {
        var s01 = Vector256.Create(Vector128.WidenLower(samples), Vector128.WidenLower(samples)).AsInt16();
        var s23 = Vector256.Create(Vector128.WidenUpper(samples), Vector128.WidenUpper(samples)).AsInt16();
        var t0 = Hadamard.OfTwo(s01, s23, predictions.Dc(), predictions.TrueMotion());
        var t2 = Hadamard.OfTwo(s01, s23, predictions.Directional(SubMode.Vertical), predictions.Directional(SubMode.Horizontal));
        var t4 = Hadamard.OfTwo(s01, s23, predictions.Directional(SubMode.RightDown), predictions.Directional(SubMode.VerticalRight));
        var t6 = Hadamard.OfTwo(s01, s23, predictions.Directional(SubMode.LeftDown), predictions.Directional(SubMode.VerticalLeft));
        var t8 = Hadamard.OfTwo(s01, s23, predictions.Directional(SubMode.HorizontalDown), predictions.Directional(SubMode.HorizontalUp));
        // The lower half has the sums of the modes 0, 2, 4 and 6, the upper one those of 1, 3, 5 and 7.
        var sums = Lanes.AddNeighbours(Lanes.AddNeighbours(t0, t2), Lanes.AddNeighbours(t4, t6)) >> 1;
        var first = Vector128.Narrow(Lanes.ZipLow(sums.GetLower(), sums.GetUpper()),
            Lanes.ZipHigh(sums.GetLower(), sums.GetUpper())).AsUInt16()
            + Vector128.Create(costs[..8]);
        var last = Lanes.AddNeighbours(t8, t8);
        last = Lanes.AddNeighbours(last, last) >> 1;

        var least = Lanes.Smallest(first);
        var rest = first | Vector128.Equals(Vector128.Create((ushort)(least >> 16)), Vector128<ushort>.Indices);
        var next = Lanes.Smallest(rest);
        var (best, second) = (new Choice(least & 0xFFFF, least >> 16), new Choice(next & 0xFFFF, next >> 16));
        Consider(new Choice((uint)last.GetElement(0) + costs[8], 8), ref best, ref second);
        Consider(new Choice((uint)last.GetElement(4) + costs[9], 9), ref best, ref second);
        return best.Mode | (second.Cost * 256 <= best.Cost * Near ? second.Mode : NoSecond) << 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Consider(Choice choice, ref Choice best, ref Choice second)
    {
        if (choice.Cost < best.Cost)
        {
            (best, second) = (choice, best);
        }
        else if (choice.Cost < second.Cost)
        {
            second = choice;
        }
    }

    private readonly record struct Choice(uint Cost, uint Mode);
}
