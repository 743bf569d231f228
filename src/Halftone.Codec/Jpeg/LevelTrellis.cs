using System.Numerics;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Chooses the levels of one band of a block so that bits plus weighted squared error are least, over all choices of which coefficients to
/// drop and where
/// the block ends: a shortest path through the coefficients that may be kept. Rounding down by one is tried where it makes the value a bit
/// shorter.
/// Costs are in bits.
/// </summary>
internal sealed class LevelTrellis
{
    // Index 0 is the start of the band, i + 1 its i-th coefficient.
    private readonly float[] best = new float[65], dropped = new float[65];
    private readonly int[] before = new int[65], kept = new int[65];

    /// <summary>
    /// Replaces the signs in <see cref="BlockLevels.Levels"/> by levels, for those from <paramref name="first"/> up to <paramref
    /// name="end"/>.
    /// </summary>
    /// <param name="band">Which coefficients the band holds, and what its symbols cost.</param>
    /// <param name="weights">Bits for a squared error of one output step, by index in zigzag order.</param>
    /// <param name="mask">Factor for all weights.</param>
    public void Choose(BlockLevels block, int first, int end, Band band, ReadOnlySpan<float> weights, float mask)
    {
        var places = block.Places[first..end];
        FindPaths(places, block.Exact[first..end], band, weights, mask);
        Follow(EndOfBlock(places, band), block.Levels[first..end]);
    }

    /// <summary>By coefficient, the cheapest way to keep it and choose all before it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FindPaths(ReadOnlySpan<byte> places, ReadOnlySpan<float> exact, Band band, ReadOnlySpan<float> weights, float mask)
    {
        var bits = band.Rates.Bits;
        var sixteenZeros = bits[0xF0];
        Span<float> best = this.best, dropped = this.dropped;
        best[0] = dropped[0] = 0;
        for (var j = 0; j < places.Length; j++)
        {
            int k = places[j];
            float x = exact[j], weight = weights[k] * mask;
            var level = (int)(x + 0.5f);
            var size = 32 - BitOperations.LeadingZeroCount((uint)level);
            float error = (x - level) * (x - level) * weight, lowerError = (x - level + 1) * (x - level + 1) * weight;
            var canBeShorter = level > 1 && (level & (level - 1)) == 0;
            var least = float.MaxValue;
            int leastBefore = 0, leastLevel = level;
            for (var i = j; i >= 0; i--)
            {
                // What lies between is dropped. It only gets more, so that no earlier start can be cheaper from here on.
                var cost = dropped[j] - dropped[i];
                if (cost >= least)
                {
                    break;
                }

                cost += best[i];
                var run = k - 1 - (i == 0 ? band.First - 1 : places[i - 1]);
                if (run > 15)
                {
                    cost += sixteenZeros * (run >> 4);
                    run &= 15;
                }

                var total = cost + error + bits[(run << 4 | size) & 255];
                if (total < least)
                {
                    (least, leastBefore, leastLevel) = (total, i, level);
                }

                if (canBeShorter)
                {
                    total = cost + lowerError + bits[(run << 4 | (size - 1)) & 255];
                    if (total < least)
                    {
                        (least, leastBefore, leastLevel) = (total, i, level - 1);
                    }
                }
            }

            best[j + 1] = least;
            before[j + 1] = leastBefore;
            kept[j + 1] = leastLevel;
            dropped[j + 1] = dropped[j] + x * x * weight;
        }
    }

    /// <summary>Index of the last coefficient to keep, 0 for none.</summary>
    private int EndOfBlock(ReadOnlySpan<byte> places, Band band)
    {
        var least = float.MaxValue;
        var last = 0;
        for (var i = places.Length; i >= 0; i--)
        {
            var tail = dropped[places.Length] - dropped[i];
            if (tail >= least)
            {
                break;
            }

            var end = i == 0 ? band.Rates.Empty : places[i - 1] == band.Last ? 0 : band.Rates.End;
            if (best[i] + tail + end < least)
            {
                (least, last) = (best[i] + tail + end, i);
            }
        }

        return last;
    }

    private void Follow(int last, Span<int> levels)
    {
        for (var i = levels.Length; i > 0; i--)
        {
            if (i == last)
            {
                var sign = levels[i - 1];
                levels[i - 1] = (kept[i] ^ sign) - sign;
                last = before[i];
            }
            else
            {
                levels[i - 1] = 0;
            }
        }
    }
}
