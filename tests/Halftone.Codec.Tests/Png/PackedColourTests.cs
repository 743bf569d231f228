using System.Runtime.Intrinsics;
using Halftone.Codec.Png;

namespace Halftone.Codec.Tests.Png;

public sealed class PackedColourTests
{
    [Fact]
    public void A_row_is_turned_into_working_colours_as_single_pixels_are_for_every_value_and_alpha()
    {
        var straight = new uint[256 * 256 + 3];
        for (uint i = 0; i < 65536; i++)
        {
            straight[i] = i & 255 | (255 - (i & 255)) << 8 | (i & 255 ^ 0x5A) << 16 | i >> 8 << 24;
        }

        var working = new uint[straight.Length];

        Assert.True(PackedColour.ToWorking(straight, working));

        Assert.Equal(straight.Select(PackedColour.ToWorking), working);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    public void An_opaque_row_stays_as_it_is_and_is_called_opaque(int length)
    {
        uint[] straight = [.. Enumerable.Range(0, length).Select(i => PackedColour.Opaque | (uint)i * 12345)];
        var working = new uint[length];

        Assert.False(PackedColour.ToWorking(straight, working));
        Assert.Equal(straight, working);
    }

    [Fact]
    public void Every_opaque_colour_survives_the_way_to_coordinates_and_back()
    {
        for (uint i = 0; i < 1 << 24; i += 7)
        {
            Assert.Equal(PackedColour.Opaque | i, PackedColour.ToStraight(PackedColour.Coordinates(PackedColour.Opaque | i)));
        }
    }

    [Fact]
    public void A_translucent_colour_comes_back_as_one_that_looks_the_same()
    {
        for (uint i = 0; i < 1 << 24; i += 9973)
        {
            uint working = PackedColour.ToWorking(i << 8 >> 8 | i >> 16 << 24);
            uint again = PackedColour.ToWorking(PackedColour.ToStraight(PackedColour.Coordinates(working)));
            for (int shift = 0; shift < 32; shift += 8)
            {
                Assert.InRange((int)(working >> shift & 255) - (int)(again >> shift & 255), -1, 1);
            }
        }
    }

    [Fact]
    public void Distance_is_the_mean_of_the_distances_over_black_and_over_white()
    {
        var random = new Random(5);
        for (int i = 0; i < 1000; i++)
        {
            uint left = (uint)random.NextInt64(1 << 24, 255L << 24), right = (uint)random.NextInt64(1 << 24, 255L << 24);
            double expected = (OpaqueDistance(Over(left, 0), Over(right, 0)) + OpaqueDistance(Over(left, 255), Over(right, 255))) / 2;

            double distance = Squared(
                PackedColour.Coordinates(PackedColour.ToWorking(left)) - PackedColour.Coordinates(PackedColour.ToWorking(right)));

            Assert.InRange(Math.Sqrt(distance), Math.Sqrt(expected) - 4, Math.Sqrt(expected) + 4); // four roundings to 8 bits
        }
    }

    [Fact]
    public void Grey_between_two_steps_stays_grey()
    {
        for (float grey = 0; grey <= 255; grey += 0.25f)
        {
            uint straight = PackedColour.ToStraight(PackedColour.Coordinates(grey, grey, grey, 255));
            Assert.Equal((straight & 255) * 0x010101u | PackedColour.Opaque, straight);
        }
    }

    private static uint Over(uint colour, uint background)
    {
        uint alpha = colour >> 24, result = PackedColour.Opaque;
        for (int shift = 0; shift < 24; shift += 8)
        {
            result |= ((colour >> shift & 255) * alpha + background * (255 - alpha) + 127) / 255 << shift;
        }

        return result;
    }

    private static double OpaqueDistance(uint left, uint right) =>
        Squared(PackedColour.Coordinates(left) - PackedColour.Coordinates(right));

    private static double Squared(Vector128<float> difference) => Vector128.Dot(difference, difference);
}
