using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Tests.Jpeg;

public sealed class LevelTrellisTests
{
    [Fact]
    public void No_other_choice_of_levels_is_cheaper()
    {
        var random = new Random(11);
        var rates = new SymbolRates();
        rates.Reset(isProgressive: false);
        rates.Update([.. Enumerable.Range(0, 256).Select(_ => random.Next(3) == 0 ? 0 : random.Next(1, 4000))], isProgressive: false);
        foreach (var band in (Band[])[new(1, 63, rates), new(1, 9, rates), new(10, 63, rates)])
        {
            for (var times = 0; times < 150; times++)
            {
                var coefficients = new short[64];
                var marks = 0ul;
                for (var n = random.Next(1, 7); n > 0; n--)
                {
                    var k = random.Next(band.First, band.Last + 1);
                    coefficients[k] = (short)(random.Next(2) == 0 ? random.Next(-60, -10) : random.Next(10, 60));
                    marks |= 1ul << k;
                }

                var requantizer = Requantizer(from: 1, to: 14, weight: 4 + 20 * random.NextSingle());
                var block = new BlockLevels();
                block.Gather(coefficients, marks, requantizer);

                new LevelTrellis().Choose(block, 0, block.Count, band, requantizer.Weights, mask: 1);

                Assert.Equal(Cheapest(block, band, requantizer), Cost(block, [.. block.Levels], band, requantizer), 0.01f);
                for (var i = 0; i < block.Count; i++)
                {
                    Assert.True(block.Levels[i] == 0 || Math.Sign(block.Levels[i]) == Math.Sign(coefficients[block.Places[i]]));
                }
            }
        }
    }

    private static Requantizer Requantizer(ushort from, byte to, float weight)
    {
        var requantizer = new Requantizer();
        requantizer.Prepare([.. Enumerable.Repeat(from, 64)], [.. Enumerable.Repeat(to, 64)], isChroma: false);
        requantizer.PrepareChoice([.. Enumerable.Repeat(to, 64)], weight, least: 0.5f);
        return requantizer;
    }

    /// <summary>Over all choices of nothing, the nearest level and the one below.</summary>
    private static float Cheapest(BlockLevels block, Band band, Requantizer requantizer)
    {
        var least = float.MaxValue;
        for (var choice = 0; choice < Math.Pow(3, block.Count); choice++)
        {
            var levels = new int[block.Count];
            for (int i = 0, rest = choice; i < levels.Length; i++, rest /= 3)
            {
                levels[i] = rest % 3 == 0 ? 0 : Math.Max(0, (int)(block.Exact[i] + 0.5f) - (rest % 3 - 1));
            }

            least = Math.Min(least, Cost(block, levels, band, requantizer));
        }

        return least;
    }

    private static float Cost(BlockLevels block, int[] levels, Band band, Requantizer requantizer)
    {
        var cost = 0f;
        var last = band.First - 1;
        for (var i = 0; i < levels.Length; i++)
        {
            var level = Math.Abs(levels[i]);
            cost += (block.Exact[i] - level) * (block.Exact[i] - level) * requantizer.Weights[block.Places[i]];
            if (level > 0)
            {
                var run = block.Places[i] - last - 1;
                cost += run / 16 * band.Rates.Bits[0xF0] + band.Rates.Bits[run % 16 << 4 | (1 + (int)Math.Log2(level))];
                last = block.Places[i];
            }
        }

        return cost + (last == band.First - 1 ? band.Rates.Empty : last == band.Last ? 0 : band.Rates.End);
    }
}
