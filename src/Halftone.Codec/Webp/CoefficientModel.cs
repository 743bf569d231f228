using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>The types of blocks, which have probabilities of their own (RFC 6386, section 13.3).</summary>
internal static class BlockType
{
    /// <summary>Luma whose DC went into the Y2 block.</summary>
    public const int WithoutDc = 0;
    public const int Y2 = 1;
    public const int Chroma = 2;
    /// <summary>Luma of a split macroblock.</summary>
    public const int WithDc = 3;
}

/// <summary>
/// How often each class of coefficient occurs in each context, and what follows from it: probabilities, and what coefficients cost.
/// </summary>
internal sealed class CoefficientModel
{
    private const int CostsPerContext = 16, NotEndAt = 13, CostsPerPosition = 3 * CostsPerContext;

    /// <summary>Weight of the default probability in an estimate, in decisions.</summary>
    private const int PriorWeight = 8;

    /// <summary>By context, 16 classes, and 16 more after a zero.</summary>
    private readonly uint[] counts = new uint[Vp8Tables.Contexts * 32];

    /// <summary>By type, position and context: the cost of each class, of the end, and of going on, in 1/256 bit.</summary>
    private readonly ushort[] costs = new ushort[4 * 17 * CostsPerPosition];
    private readonly byte[] estimates = new byte[Vp8Tables.Probabilities];

    /// <summary>First context of each position, by <see cref="Vp8Tables.Bands"/>.</summary>
    private static ReadOnlySpan<byte> ContextAt => [0, 3, 6, 9, 18, 12, 15, 18, 18, 18, 18, 18, 18, 18, 18, 21, 0];

    public void Reset()
    {
        Array.Clear(counts);
        Vp8Tables.Defaults.CopyTo(estimates);
        MakeCosts();
    }

    /// <summary>Estimates the probabilities from what there was so far.</summary>
    public void Adapt()
    {
        Span<uint> zeros = stackalloc uint[Vp8Tables.Decisions], ones = stackalloc uint[Vp8Tables.Decisions];
        for (var context = 0; context < Vp8Tables.Contexts; context++)
        {
            Count(context, zeros, ones);
            for (var k = 0; k < Vp8Tables.Decisions; k++)
            {
                var at = context * Vp8Tables.Decisions + k;
                long all = (long)zeros[k] + ones[k];
                estimates[at] = (byte)Math.Clamp((zeros[k] * 256L + Vp8Tables.Defaults[at] * PriorWeight + all / 2) / (all
                    + PriorWeight), 1, 255);
            }
        }

        MakeCosts();
    }

    /// <summary>How often each decision of a context was 0 and 1.</summary>
    public void Count(int context, Span<uint> zeros, Span<uint> ones)
    {
        zeros.Clear();
        ones.Clear();
        for (var i = 0; i < 32; i++)
        {
            var times = counts[context * 32 + i];
            if (times == 0)
            {
                continue;
            }

            foreach (var step in CoefficientTree.Path(i & 15, afterZero: i >= 16))
            {
                (((step & 1) != 0) ? ones : zeros)[step >> 1] += times;
            }
        }
    }

    /// <summary>What a block costs, in 1/256 bit.</summary>
    /// <param name="type">One of <see cref="BlockType"/>.</param>
    /// <param name="levels">16 in coding order.</param>
    /// <param name="n">The first position, 0 or 1.</param>
    /// <param name="length">Index after the last level that is not zero.</param>
    /// <param name="context">How many of the two neighbours have coefficients.</param>
    public int Cost(int type, ReadOnlySpan<short> levels, int n, int length, int context)
    {
        var ofType = costs.AsSpan(type * 17 * CostsPerPosition, 17 * CostsPerPosition);
        var at = n * CostsPerPosition + context * CostsPerContext;
        if (length <= n)
        {
            return ofType[at + CoefficientTree.EndOfBlock];
        }

        var classOf = CoefficientTree.ClassOf;
        var fixedCosts = CoefficientTree.FixedCosts;
        int cost = context == 0 ? ofType[at + NotEndAt] : 0;
        levels = levels[..length];
        for (; n < levels.Length;)
        {
            int magnitude = Math.Abs((int)levels[n]);
            cost += ofType[at + classOf[magnitude]] + fixedCosts[magnitude];
            at = ++n * CostsPerPosition + Math.Min(magnitude, 2) * CostsPerContext;
        }

        return n < 16 ? cost + ofType[at + CoefficientTree.EndOfBlock] : cost;
    }

    /// <summary>Writes a block's decisions and counts them; returns the index after the last.</summary>
    public int Write(Span<ushort> decisions, int at, int type, ReadOnlySpan<short> levels, int n, int length, int context)
    {
        var own = type * 24 + ContextAt[n] + context;
        if (length <= n)
        {
            counts[own * 32 + CoefficientTree.EndOfBlock]++;
            decisions[at] = (ushort)(own * CoefficientTree.Stride << 1);
            return at + 1;
        }

        var classOf = CoefficientTree.ClassOf;
        var afterZero = 0;
        levels = levels[..length];
        for (; n < levels.Length;)
        {
            int value = levels[n], magnitude = Math.Abs(value);
            if (magnitude <= CoefficientTree.MaxPattern)
            {
                var pattern = CoefficientTree.Pattern(value, afterZero, out var count);
                (pattern + Vector128.Create((ushort)(own * CoefficientTree.Stride << 1))).CopyTo(decisions.Slice(at, 8));
                at += count;
            }
            else
            {
                at += CoefficientTree.Write(value, afterZero != 0, own, decisions[at..]);
            }

            counts[own * 32 + afterZero + classOf[magnitude]]++;
            afterZero = magnitude == 0 ? 16 : 0;
            own = type * 24 + ContextAt[++n] + Math.Min(magnitude, 2);
        }

        if (n < 16)
        {
            counts[own * 32 + CoefficientTree.EndOfBlock]++;
            decisions[at++] = (ushort)(own * CoefficientTree.Stride << 1);
        }

        return at;
    }

    private void MakeCosts()
    {
        Span<ushort> own = stackalloc ushort[CostsPerContext];
        for (var context = 0; context < Vp8Tables.Contexts; context++)
        {
            MakeCosts(estimates.AsSpan(context * Vp8Tables.Decisions, Vp8Tables.Decisions), afterZero: context % 3 == 0, own);
            int type = context / 24, first = context % 24 / 3 * 3;
            for (var n = 0; n < 17; n++)
            {
                if (ContextAt[n] == first)
                {
                    own.CopyTo(costs.AsSpan((type * 17 + n) * CostsPerPosition + context % 3 * CostsPerContext));
                }
            }
        }
    }

    /// <param name="p">Eleven probabilities.</param>
    /// <param name="afterZero">
    /// Context 0 within a block means that the coefficient before was zero and no end can come; at its start the price of not ending is
    /// added by hand.
    /// </param>
    /// <param name="to">Takes the costs.</param>
    private static void MakeCosts(ReadOnlySpan<byte> p, bool afterZero, Span<ushort> to)
    {
        for (var @class = 0; @class < CoefficientTree.EndOfBlock; @class++)
        {
            var cost = 0;
            foreach (var step in CoefficientTree.Path(@class, afterZero))
            {
                int probability = p[step >> 1];
                cost += CoefficientTree.BitCosts[(step & 1) != 0 ? 256 - probability : probability];
            }

            to[@class] = (ushort)cost;
        }

        to[CoefficientTree.EndOfBlock] = CoefficientTree.BitCosts[p[0]];
        to[NotEndAt] = CoefficientTree.BitCosts[256 - p[0]];
    }
}
