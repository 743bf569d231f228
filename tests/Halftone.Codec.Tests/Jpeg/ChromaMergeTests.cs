using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Tests.Jpeg;

public sealed class ChromaMergeTests
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public void Merged_blocks_are_those_of_averaged_samples(int across, int down)
    {
        var random = new Random(3);
        // Steps of 1 on the way out: what differs is rounding alone.
        ushort[] sourceSteps = [.. Enumerable.Range(0, 64).Select(k => (ushort)(1 + k % 7))];
        byte[] outputSteps = [.. Enumerable.Repeat((byte)1, 64)];
        var merge = new ChromaMerge();
        merge.Prepare(sourceSteps, outputSteps, new OutputLayout(2, 2, across, down));
        using var plane = new CoefficientPlane();
        plane.Reset(2, 2);
        var samples = new double[16, 16];
        for (var b = 0; b < 4; b++)
        {
            var coefficients = new double[64];
            plane.Marks(b) = 1;
            for (var k = 0; k < 64; k++)
            {
                var value = k == 0 || random.Next(3) == 0 ? random.Next(-40, 41) : 0;
                plane.Block(b)[k] = (short)value;
                plane.Marks(b) |= value != 0 ? 1ul << k : 0;
                coefficients[ZigZag.ToNatural[k]] = value * sourceSteps[k];
            }

            var block = Dct.Inverse(coefficients);
            for (var i = 0; i < 64; i++)
            {
                samples[b / 2 * 8 + i / 8, b % 2 * 8 + i % 8] = block[i];
            }
        }

        var averaged = new double[64];
        for (var i = 0; i < 64; i++)
        {
            for (var s = 0; s < across * down; s++)
            {
                averaged[i] += samples[i / 8 * down + s / across, i % 8 * across + s % across] / (across * down);
            }
        }

        var expected = Dct.Forward(averaged);
        var merged = new short[64];
        var marks = merge.Merge(plane, 0, 0, 1, 1, merged);
        for (var k = 0; k < 64; k++)
        {
            var actual = (marks >> k & 1) == 0 ? 0 : merged[k];
            Assert.InRange(actual - expected[ZigZag.ToNatural[k]], -0.52, 0.52);
        }
    }

    [Fact]
    public void Beyond_the_last_block_of_pixels_the_last_is_repeated()
    {
        var merge = new ChromaMerge();
        merge.Prepare([.. Enumerable.Repeat((ushort)1, 64)], [.. Enumerable.Repeat((byte)1, 64)], new OutputLayout(2, 2, 2, 2));
        using var plane = new CoefficientPlane();
        plane.Reset(2, 2);
        for (var b = 0; b < 4; b++)
        {
            plane.Marks(b) = 1;
            plane.Block(b)[0] = (short)(b == 0 ? 80 : -999);
        }

        var merged = new short[64];

        Assert.Equal(1ul, merge.Merge(plane, 0, 0, 0, 0, merged));
        Assert.Equal(80, merged[0]);
    }
}
