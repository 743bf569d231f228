using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;

namespace Halftone.Codec.Tests;

public sealed class OutputGuardTests
{
    private static readonly Picture Flat = new(64, 64, 3, new byte[64 * 64 * 3]);

    [Theory]
    [InlineData("jpegsave_buffer", ImageFormat.Jpeg)]
    [InlineData("pngsave_buffer", ImageFormat.Png)]
    [InlineData("webpsave_buffer", ImageFormat.Webp)]
    [InlineData("gifsave_buffer", ImageFormat.Gif)]
    internal void An_output_of_one_colour_is_wrong_where_its_source_has_many_and_right_where_it_has_one(string saver, ImageFormat format)
    {
        var output = Flat.Save(saver);

        Assert.NotNull(OutputGuard.OneColourOfMany(output, format, 64 * 64, () => Picture.Draw(64, 64).Image()));
        Assert.Null(OutputGuard.OneColourOfMany(output, format, 64 * 64, Flat.Image));
        Assert.Null(OutputGuard.OneColourOfMany(Picture.Draw(64, 64).Save(saver), format, 64 * 64, () => Picture.Draw(64, 64).Image()));
    }

    [Theory]
    [InlineData("jpegsave_buffer", ImageFormat.Jpeg)]
    [InlineData("webpsave_buffer", ImageFormat.Webp)]
    [InlineData("gifsave_buffer", ImageFormat.Gif)]
    [InlineData("pngsave_buffer", ImageFormat.Png)]
    internal void A_large_output_of_one_colour_is_small_enough_to_be_looked_at(string saver, ImageFormat format)
    {
        var large = new Picture(1_500, 1_500, 3, new byte[1_500 * 1_500 * 3]);

        Assert.NotNull(OutputGuard.OneColourOfMany(
            large.Save(
                saver, format switch { ImageFormat.Jpeg => "Q=50,optimize_coding=true", ImageFormat.Png => "palette=true", _ => "" }),
            format,
            1_500 * 1_500,
            () => Picture.Draw(64, 64).Image()));
    }

    [Fact]
    public void Frames_that_are_lost_are_noticed_and_equal_ones_that_are_joined_are_not()
    {
        using var animation = Animation(Picture.Draw(32, 96));
        using var still = Animation(new Picture(32, 96, 3, new byte[32 * 96 * 3]));
        var one = Picture.Draw(32, 32).Save("webpsave_buffer");

        Assert.NotNull(OutputGuard.LostFrames(one, ImageFormat.Webp, animation, () => Animation(Picture.Draw(32, 96))));
        Assert.Null(OutputGuard.LostFrames(one, ImageFormat.Webp, still, () => Animation(new Picture(32, 96, 3, new byte[32 * 96 * 3]))));

        static NetVips.Image Animation(Picture frames) => frames.Image().With("page-height", 32);
    }
}
