using System.Runtime.CompilerServices;

namespace Halftone.Codec.Webp;

/// <summary>
/// Coefficients of one macroblock, multiplied by their steps. Four blocks lie side by side, so that a transform takes the same row of all
/// of them as
/// one vector: block b of the luma starts at (b / 4) × 64 + (b % 4) × 4, its rows 16 apart; chroma follows in two such groups of U U V V.
/// </summary>
internal sealed class Coefficients
{
    public const int ChromaAt = 256, Length = 384;

    public short[] Values { get; } = new short[Length];

    /// <summary>Blocks that have any, by bit: luma in raster order, then the four of the first and of the second row of chroma.</summary>
    public uint Present { get; set; }

    public void Clear()
    {
        Values.AsSpan().Clear();
        Present = 0;
    }

    /// <summary>Where a block of luma starts.</summary>
    public static int Luma(int block) => (block >> 2) * 64 + (block & 3) * 4;
}

/// <summary>Steps of one segment (RFC 6386, section 9.6 and 14.1).</summary>
internal readonly record struct Steps(int LumaDc, int LumaAc, int Y2Dc, int Y2Ac, int ChromaDc, int ChromaAc)
{
    public static Steps Of(Vp8Header header, int segment)
    {
        var index = header.Index[segment];
        return new Steps(
            Dc(index + header.LumaDcDelta), Ac(index),
            2 * Dc(index + header.Y2DcDelta), Y2AcOf(index + header.Y2AcDelta),
            ChromaDcOf(index + header.ChromaDcDelta), Ac(index + header.ChromaAcDelta));
    }

    public static int Dc(int index) => Vp8Tables.DcSteps[Math.Clamp(index, 0, Vp8Tables.MaxIndex)];

    public static int Ac(int index) => Vp8Tables.AcSteps[Math.Clamp(index, 0, Vp8Tables.MaxIndex)];

    public static int Y2AcOf(int index) => Math.Max(8, Ac(index) * 155 / 100);

    /// <summary>Chroma DC has no step above 132.</summary>
    public static int ChromaDcOf(int index) => Vp8Tables.DcSteps[Math.Clamp(index, 0, 117)];
}

/// <summary>Which blocks to the left and above have coefficients: the context of the next one's first decision.</summary>
/// <remarks>Nine flags: four of luma, two of U, two of V, one of Y2.</remarks>
[InlineArray(Length)]
internal struct Neighbours
{
    public const int Length = 9, U = 4, V = 6, Y2 = 8;

    private byte first;

    /// <summary>After a macroblock without coefficients; Y2 keeps its flag where the macroblock had none to begin with.</summary>
    public void Clear(bool isSplit)
    {
        var y2 = this[Y2];
        this = default;
        if (isSplit)
        {
            this[Y2] = y2;
        }
    }
}

/// <summary>Reads the coefficients of macroblocks (RFC 6386, section 13).</summary>
internal sealed class CoefficientReader
{
    private const int WithoutDc = 0, Y2 = 1, Chroma = 2, WithDc = 3;
    private const int PerContext = 16, PerPosition = 3 * PerContext, PerType = 17 * PerPosition;

    /// <summary>Probabilities by type, position in the block, context and decision.</summary>
    private readonly byte[] probabilities = new byte[4 * PerType];
    private readonly short[] y2 = new short[16];
    private readonly short[] dc = new short[16];
    private PerSegment<Steps> steps;

    private static ReadOnlySpan<byte> InGroup => [0, 1, 16, 32, 17, 2, 3, 18, 33, 48, 49, 34, 19, 35, 50, 51];

    private static ReadOnlySpan<byte> Category3 => [173, 148, 140];

    private static ReadOnlySpan<byte> Category4 => [176, 155, 140, 135];

    private static ReadOnlySpan<byte> Category5 => [180, 157, 141, 134, 130];

    private static ReadOnlySpan<byte> Category6 => [254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129];

    public void Begin(Vp8Header header)
    {
        for (var s = 0; s < 4; s++)
        {
            steps[s] = Steps.Of(header, s);
        }

        for (var type = 0; type < 4; type++)
        {
            for (var n = 0; n < 17; n++)
            {
                for (var context = 0; context < 3; context++)
                {
                    var from = ((type * 8 + Vp8Tables.Bands[n]) * 3 + context) * Vp8Tables.Decisions;
                    header.Probabilities.AsSpan(from, Vp8Tables.Decisions).CopyTo(probabilities.AsSpan(type * PerType + n * PerPosition
                        + context * PerContext));
                }
            }
        }
    }

    /// <summary>Reads one macroblock, and marks it as skipped where nothing is in it.</summary>
    public void Read(ref BoolReader reader, ref MacroblockModes modes, Coefficients coefficients, ref Neighbours above, ref Neighbours left)
    {
        coefficients.Clear();
        var values = coefficients.Values.AsSpan();
        var own = steps[modes.Segment];
        var present = 0u;
        int first = 0, type = WithDc;
        if (!modes.IsSplit)
        {
            present = ReadY2(ref reader, own, values, ref above, ref left);
            (first, type) = (1, WithoutDc);
        }

        var probs = Of(type);
        for (var y = 0; y < 4; y++)
        {
            int before = left[y];
            for (var x = 0; x < 4; x++)
            {
                var n = ReadBlock(ref reader, probs, above[x] + before, first, own.LumaDc, own.LumaAc, InGroup, values[(y * 64 + x * 4)..]);
                before = n > first ? 1 : 0;
                above[x] = (byte)before;
                present |= (uint)before << (y * 4 + x);
            }

            left[y] = (byte)before;
        }

        present |= ReadChroma(ref reader, own, values, ref above, ref left, Neighbours.U, 0);
        present |= ReadChroma(ref reader, own, values, ref above, ref left, Neighbours.V, 2);
        coefficients.Present = present;
        modes.IsSkipped = present == 0;
    }

    /// <summary>The DC coefficients of luma, which have a transform of their own.</summary>
    private uint ReadY2(ref BoolReader reader, Steps own, Span<short> values, ref Neighbours above, ref Neighbours left)
    {
        y2.AsSpan().Clear();
        var n = ReadBlock(ref reader, Of(Y2), above[Neighbours.Y2] + left[Neighbours.Y2], 0, own.Y2Dc, own.Y2Ac, Vp8Tables.ZigZag, y2);
        above[Neighbours.Y2] = left[Neighbours.Y2] = (byte)(n > 0 ? 1 : 0);
        if (n == 0)
        {
            return 0;
        }

        if (n > 1)
        {
            WalshHadamard.Inverse(y2, dc);
        }
        else
        {
            dc.AsSpan().Fill((short)((y2[0] + 3) >> 3));
        }

        var present = 0u;
        for (var b = 0; b < 16; b++)
        {
            values[Coefficients.Luma(b)] = dc[b];
            present |= dc[b] != 0 ? 1u << b : 0;
        }

        return present;
    }

    private uint ReadChroma(ref BoolReader reader, Steps own, Span<short> values, ref Neighbours above, ref Neighbours left, int plane,
        int column)
    {
        var present = 0u;
        for (var y = 0; y < 2; y++)
        {
            int before = left[plane + y];
            for (var x = 0; x < 2; x++)
            {
                var at = Coefficients.ChromaAt + y * 64 + (column + x) * 4;
                var n = ReadBlock(ref reader, Of(Chroma), above[plane + x] + before, 0, own.ChromaDc, own.ChromaAc, InGroup, values[at..]);
                before = n > 0 ? 1 : 0;
                above[plane + x] = (byte)before;
                present |= (uint)before << (16 + y * 4 + column + x);
            }

            left[plane + y] = (byte)before;
        }

        return present;
    }

    private ReadOnlySpan<byte> Of(int type) => probabilities.AsSpan(type * PerType, PerType);

    /// <summary>One block.</summary>
    /// <param name="reader">Of the partition.</param>
    /// <param name="probs">Of the type.</param>
    /// <param name="context">How many of the two neighbours have coefficients.</param>
    /// <param name="n">Position of the first coefficient, 0 or 1.</param>
    /// <param name="dc">Step at position 0.</param>
    /// <param name="ac">Step behind it.</param>
    /// <param name="places">Where a position goes in <paramref name="values"/>.</param>
    /// <param name="values">Zeros to begin with.</param>
    /// <returns>The position after the last coefficient that was coded, a zero among them.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int ReadBlock(
        ref BoolReader reader, ReadOnlySpan<byte> probs, int context, int n, int dc, int ac, ReadOnlySpan<byte> places, Span<short> values)
    {
        var window = reader.Enter();
        var step = n == 0 ? dc : ac;
        var p = probs.Slice(n * PerPosition + context * PerContext, PerContext);
        while (true)
        {
            window.Refill(48); // six decisions and the next look
            if (!window.IsOne(p[0]))
            {
                break;
            }

            while (!window.IsOne(p[1]))
            {
                step = ac;
                if (++n == 16)
                {
                    reader.Leave(window);
                    return 16;
                }

                p = probs.Slice(n * PerPosition, PerContext);
                window.Refill(48);
            }

            int magnitude, next;
            if (!window.IsOne(p[2]))
            {
                (magnitude, next) = (1, PerContext);
            }
            else
            {
                next = 2 * PerContext;
                if (!window.IsOne(p[3]))
                {
                    magnitude = !window.IsOne(p[4]) ? 2 : 3 + window.Bit(p[5]);
                }
                else
                {
                    window.Refill(48);
                    if (!window.IsOne(p[6]))
                    {
                        magnitude = !window.IsOne(p[7]) ? 5 + window.Bit(159) : 7 + 2 * window.Bit(165) + window.Bit(145);
                    }
                    else
                    {
                        var high = window.Bit(p[8]);
                        var category = 2 * high + window.Bit(p[9 + high]);
                        magnitude = 0;
                        foreach (var probability in category switch { 0 => Category3, 1 => Category4, 2 => Category5, _ => Category6 })
                        {
                            window.Refill(16);
                            magnitude = 2 * magnitude + window.Bit(probability);
                        }

                        magnitude += 3 + (8 << category);
                    }
                }
            }

            window.Refill(16);
            var sign = window.Sign();
            values[places[n]] = (short)(((magnitude ^ sign) - sign) * step);
            step = ac;
            if (++n == 16)
            {
                break;
            }

            p = probs.Slice(n * PerPosition + next, PerContext);
        }

        reader.Leave(window);
        return n;
    }
}
