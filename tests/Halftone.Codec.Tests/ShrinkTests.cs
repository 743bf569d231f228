using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;

namespace Halftone.Codec.Tests;

/// <summary>Outputs that must fit into a box: their size, and that what fits already is left alone.</summary>
public sealed class ShrinkTests
{
    private static CodecResult.Compressed Compress(byte[] source, int? maxWidth, int? maxHeight, ImageFormat? format = null, int q = 50) =>
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(source, new CodecRequest { MaxWidth = maxWidth, MaxHeight = maxHeight, Format = format, Q = q }));

    public static TheoryData<string, string> Savers => new()
    {
        { "jpegsave_buffer", "Q=95" },
        { "jpegsave_buffer", "Q=95,interlace=true" },
        { "pngsave_buffer", "" },
        { "pngsave_buffer", "interlace=true" },
        { "webpsave_buffer", "Q=95" },
        { "webpsave_buffer", "lossless=true" },
        { "gifsave_buffer", "" },
        { "heifsave_buffer", "compression=av1,Q=90,effort=0" },
    };

    [Theory]
    [MemberData(nameof(Savers))]
    public void A_larger_image_is_shrunk_into_the_box_and_keeps_its_looks(string saver, string options)
    {
        var source = Picture.Draw(400, 240).Save(saver, options);

        foreach (var (maxWidth, maxHeight, width, height) in ((int?, int?, int, int)[])
            [(100, 100, 100, 60), (null, 30, 50, 30), (399, null, 399, 239), (1, 1, 1, 1), (65_535, 120, 200, 120), (37, 5, 8, 5)])
        {
            var result = Compress(source, maxWidth, maxHeight);

            Assert.Equal((width, height, false), (result.WidthPixels, result.HeightPixels, result.KeptOriginal));
            var shown = Picture.Decode(result.Body);
            Assert.Equal((width, height), (shown.Width, shown.Height));
            Assert.InRange(shown.Rgb().Psnr(Picture.Draw(400, 240).Averaged(width, height)), width > 30 ? 27 : 15, double.PositiveInfinity);
        }
    }

    [Theory]
    [MemberData(nameof(Savers))]
    public void An_image_that_fits_is_made_as_without_a_box(string saver, string options)
    {
        var source = Picture.Draw(120, 90).Save(saver, options);
        var plain = Compress(source, null, null);

        foreach (var (maxWidth, maxHeight) in ((int?, int?)[])[(120, 90), (120, null), (null, 90), (65_535, 65_535)])
        {
            var result = Compress(source, maxWidth, maxHeight);

            Assert.Equal(plain.Body.ToArray(), result.Body.ToArray());
            Assert.Equal((plain.Way, plain.NotTaken, 120, 90), (result.Way, result.NotTaken, result.WidthPixels, result.HeightPixels));
        }
    }

    [Fact]
    public void A_JPEG_leaves_the_DCT_domain_only_to_be_shrunk_and_says_so()
    {
        var source = Picture.Draw(120, 90).Save("jpegsave_buffer", "Q=95");

        var result = Compress(source, 119, null);

        Assert.Equal((CodecWay.LibVips, JpegNotTaken.Shrinks), (result.Way, result.NotTaken));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(null, -1)]
    [InlineData(65_536, null)]
    public void A_box_without_room_or_beyond_every_image_is_a_mistake_of_the_caller(int? maxWidth, int? maxHeight) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageCodec.Compress(new byte[10], new CodecRequest { MaxWidth = maxWidth, MaxHeight = maxHeight }));

    /// <summary>What was asked for is the size: more bytes than the source had are then still right.</summary>
    [Fact]
    public void A_shrunk_image_is_never_replaced_by_its_source_even_where_it_has_more_bytes()
    {
        var source = Compress(Picture.Noise(64, 64).Save("pngsave_buffer"), null, null, ImageFormat.Webp, q: 5).Body.ToArray();
        Assert.SkipUnless(VipsStartup.KnowsKeep, "before 8.15 libvips put an EXIF block of its own into every WebP");
        Assert.True(Compress(source, null, null, q: 100).KeptOriginal);

        var result = Compress(source, 63, 63, q: 100);

        Assert.InRange(result.Body.Length, source.Length, int.MaxValue);
        Assert.Equal((false, 63, 63), (result.KeptOriginal, result.WidthPixels, result.HeightPixels));
    }

    public static TheoryData<string, int> Orientations()
    {
        var all = new TheoryData<string, int>();
        foreach (var saver in (string[])["jpegsave_buffer", "pngsave_buffer", "webpsave_buffer"])
        {
            for (var orientation = 1; orientation <= 8; orientation++)
            {
                all.Add(saver, orientation);
            }
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Orientations))]
    public void The_box_is_for_the_picture_as_it_is_seen(string saver, int orientation)
    {
        var upright = Picture.Draw(192, 128);
        ImageCodec.Initialize();
        Assert.SkipWhen(saver == "pngsave_buffer" && !VipsStartup.KnowsKeep, "before 8.15 libvips did not know EXIF in PNG");
        using var image = upright.StoredFor(orientation).Image();
        image.Set("orientation", orientation);
        var source = Picture.Save(image, saver, saver == "pngsave_buffer" ? "" : "Q=95");

        foreach (var (maxWidth, maxHeight, width, height) in ((int?, int?, int, int)[])[(96, null, 96, 64), (null, 96, 144, 96), (192, 16, 24, 16)])
        {
            var result = Compress(source, maxWidth, maxHeight);

            Assert.Equal((width, height), (result.WidthPixels, result.HeightPixels));
            using var opened = new OpenedFile(result.Body);
            Assert.Equal((width, height, 1), (opened.Image.Width, opened.Image.Height, opened.Image.Orientation));
            Assert.InRange(Picture.Decode(result.Body).Psnr(upright.Averaged(width, height)), 25, double.PositiveInfinity);
        }
    }

    private static byte[] Animation(string saver, int width = 64, int height = 48, Picture? drawn = null)
    {
        using var frames = (drawn ?? Picture.Draw(width, height * 3)).Image();
        frames.Set("page-height", height);
        frames.Set("delay", [100, 250, 70]);
        frames.Set("loop", 3);
        return Picture.Save(frames, saver);
    }

    [Theory]
    [InlineData("gifsave_buffer", null)]
    [InlineData("webpsave_buffer", null)]
    [InlineData("gifsave_buffer", ImageFormat.Webp)]
    [InlineData("webpsave_buffer", ImageFormat.Gif)]
    public void A_shrunk_animation_keeps_its_frames_delays_and_loop_count(string saver, ImageFormat? format)
    {
        var result = Compress(Animation(saver), 40, 24, format);

        using var opened = new OpenedFile(result.Body);
        Assert.Equal((32, 24, 3), (opened.Image.Width, opened.Image.PageHeight, opened.Image.Pages));
        Assert.Equal((32, 24), (result.WidthPixels, result.HeightPixels));
        Assert.Equal([100, 250, 70], opened.Image.Integers("delay"));
        Assert.Equal(3, opened.Image.Integer("loop"));
        Assert.InRange(Picture.Decode(result.Body).Rgb().Psnr(Picture.Draw(64, 48 * 3).Averaged(32, 72)), 25, double.PositiveInfinity);
    }
}
