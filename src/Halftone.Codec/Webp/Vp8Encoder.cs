namespace Halftone.Codec.Webp;

/// <summary>
/// Planes to a VP8 key frame. One pass: modes are chosen by vector code, priced by what has been coded so far, and coded with the
/// probabilities of the
/// whole. Not thread-safe; reused from picture to picture.
/// </summary>
internal sealed class Vp8Encoder
{
    /// <summary>Costs are estimated anew after 1, 2, 4 and 8 rows of macroblocks, and then after each of so many.</summary>
    private const int AdaptRows = 16;

    private readonly Canvas canvas = new();
    private readonly CoefficientModel model = new();
    private readonly CoefficientStream stream;
    private readonly FrameWriter frameWriter = new();
    private readonly SegmentCoding[] codings = [new(), new(), new(), new()];
    private readonly WholeLuma whole;
    private readonly SplitLuma split;
    private readonly ChromaCoding chroma;
    private Neighbours[] above = [];
    private byte[] modesAbove = [];

    public Vp8Encoder()
    {
        stream = new CoefficientStream(model);
        whole = new WholeLuma(canvas, model);
        split = new SplitLuma(canvas, model);
        chroma = new ChromaCoding(canvas);
    }

    /// <summary>Encodes a picture.</summary>
    /// <param name="planes">Of the picture.</param>
    /// <param name="width">In pixels, 1 to 16,383.</param>
    /// <param name="height">The same.</param>
    /// <param name="plan">Quantizers and filter.</param>
    /// <param name="modes">One for each macroblock, whose segments count; takes what was chosen.</param>
    /// <param name="rebuilt">Takes what a decoder sees before its loop filter; null where nobody asks.</param>
    /// <returns>The frame; null where the modes do not fit into its first partition.</returns>
    public byte[]? Encode(Planes planes, int width, int height, EncoderPlan plan, Span<MacroblockModes> modes, Planes? rebuilt = null)
    {
        Prepare(planes, plan);
        var budget = new ModeBudget(modes.Length);
        var nextAdapt = 1;
        Span<byte> modesLeft = stackalloc byte[4];
        for (var row = 0; row < planes.BlocksHigh; row++)
        {
            if (row == nextAdapt)
            {
                model.Adapt();
                nextAdapt = Math.Min(2 * row, row + AdaptRows);
            }

            var left = new Neighbours();
            modesLeft.Clear();
            for (var column = 0; column < planes.BlocksWide; column++)
            {
                stream.MakeRoom();
                canvas.MoveTo(column, row);
                ref var mode = ref modes[row * planes.BlocksWide + column];
                if (!plan.HasSegments)
                {
                    mode.Segment = 0;
                }

                Encode(new SourceBlock(planes, column, row), ref mode, ref above[column], ref left, modesAbove.AsSpan(4 * column, 4),
                    modesLeft, ref budget);
                canvas.Keep(column);
                rebuilt?.Take(canvas, column, row);
            }
        }

        stream.Finish();
        return frameWriter.Write(width, height, plan, modes, stream);
    }

    public void Trim(int bytes)
    {
        stream.Trim(bytes);
        frameWriter.Trim(bytes);
    }

    private void Prepare(Planes planes, EncoderPlan plan)
    {
        for (var s = 0; s < (plan.HasSegments ? 4 : 1); s++)
        {
            codings[s].Prepare(plan, s);
        }

        if (above.Length < planes.BlocksWide)
        {
            (above, modesAbove) = (new Neighbours[planes.BlocksWide], new byte[4 * planes.BlocksWide]);
        }

        Array.Clear(above);
        Array.Clear(modesAbove);
        canvas.Begin(planes.BlocksWide);
        model.Reset();
        stream.Start();
    }

    private void Encode(
        in SourceBlock source, ref MacroblockModes mode, ref Neighbours above, ref Neighbours left, Span<byte> modesAbove,
            Span<byte> modesLeft, ref ModeBudget budget)
    {
        var coding = codings[mode.Segment];
        var limit = whole.Evaluate(source, coding, above, left);
        mode.IsSplit = !whole.IsEmpty && budget.HasRoom
            && split.Evaluate(source, coding, above, left, modesAbove, modesLeft, limit) < limit
            && budget.Allows(split.ModeCost);
        if (mode.IsSplit)
        {
            mode.Luma = 0;
            mode.Sub = split.Modes;
            for (var i = 0; i < 4; i++)
            {
                (modesAbove[i], modesLeft[i]) = (split.Modes[12 + i], split.Modes[4 * i + 3]);
            }
        }
        else
        {
            mode.Luma = (byte)whole.Mode;
            modesAbove.Fill(mode.Luma);
            modesLeft.Fill(mode.Luma);
            whole.Rebuild();
        }

        budget.Spend(mode.IsSplit ? split.ModeCost : ModeCosts.Luma[mode.Luma]);
        var hasChroma = chroma.Code(source, coding);
        mode.Chroma = (byte)chroma.Mode;
        var hasLuma = (mode.IsSplit ? split.Levels : whole.Levels).Lengths.AsSpan().ContainsAnyExcept((byte)0);
        mode.IsSkipped = !hasLuma && !hasChroma;
        if (mode.IsSkipped)
        {
            above.Clear(mode.IsSplit);
            left.Clear(mode.IsSplit);
        }
        else
        {
            Write(mode.IsSplit, ref above, ref left);
        }
    }

    private void Write(bool isSplit, ref Neighbours above, ref Neighbours left)
    {
        int first = 0, type = BlockType.WithDc;
        var luma = split.Levels;
        if (!isSplit)
        {
            (first, type, luma) = (1, BlockType.WithoutDc, whole.Levels);
            stream.Add(BlockType.Y2, luma, WholeLuma.Y2, 0, above[Neighbours.Y2] + left[Neighbours.Y2]);
            above[Neighbours.Y2] = left[Neighbours.Y2] = (byte)(luma.Lengths[WholeLuma.Y2] > 0 ? 1 : 0);
        }

        for (var y = 0; y < 4; y++)
        {
            int before = left[y];
            for (var x = 0; x < 4; x++)
            {
                stream.Add(type, luma, 4 * y + x, first, above[x] + before);
                before = luma.Lengths[4 * y + x] > first ? 1 : 0;
                above[x] = (byte)before;
            }

            left[y] = (byte)before;
        }

        WriteChroma(ref above, ref left, Neighbours.U, 0);
        WriteChroma(ref above, ref left, Neighbours.V, 4);
    }

    private void WriteChroma(ref Neighbours above, ref Neighbours left, int plane, int block)
    {
        for (var y = 0; y < 2; y++)
        {
            int before = left[plane + y];
            for (var x = 0; x < 2; x++, block++)
            {
                stream.Add(BlockType.Chroma, chroma.Levels, block, 0, above[plane + x] + before);
                before = chroma.Levels.Lengths[block] > 0 ? 1 : 0;
                above[plane + x] = (byte)before;
            }

            left[plane + y] = (byte)before;
        }
    }
}

/// <summary>
/// Spreads the first partition's room over the macroblocks of a large picture: sixteen modes each would not fit above some 10 megapixels.
/// What the
/// first ones do not use is left to those that come after them.
/// </summary>
internal struct ModeBudget(int macroblocks)
{
    /// <summary>
    /// The header, probabilities included, and of each macroblock its chroma mode, its segment and whether it is skipped, at the most
    /// that all need.
    /// </summary>
    private const int HeaderBits = 16_384, OtherBits = 6;

    /// <summary>Earned by each macroblock, in 1/256 bit.</summary>
    private readonly long perBlock = Math.Max(0, (FrameWriter.MaxFirstPartition * 8L - HeaderBits) / macroblocks - OtherBits) * 256;
    private long saved = HeaderBits * 256;

    /// <summary>A split macroblock may be worth trying: the least that one costs is there.</summary>
    public readonly bool HasRoom => saved + perBlock > ModeCosts.Split;

    public readonly bool Allows(int cost) => saved + perBlock >= cost;

    public void Spend(int cost) => saved += perBlock - cost;
}
