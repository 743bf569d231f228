using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests;

public sealed class ImageCodecTests
{
    private static readonly CodecRequest AsItIs = new();

    private static CodecResult.Compressed Compressed(byte[] source, CodecRequest? request = null) =>
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(source, request ?? AsItIs));

    [Theory]
    [InlineData("jpegsave_buffer", "Q=95", ImageFormat.Jpeg, 34)]
    [InlineData("pngsave_buffer", "", ImageFormat.Png, 30)]
    [InlineData("webpsave_buffer", "Q=95", ImageFormat.Webp, 34)]
    [InlineData("gifsave_buffer", "", ImageFormat.Gif, 25)]
    [InlineData("heifsave_buffer", "compression=av1,Q=90,effort=0", ImageFormat.Avif, 32)]
    internal void Every_format_stays_itself_gets_smaller_and_looks_the_same(
        string saver, string options, ImageFormat format, double leastPsnr)
    {
        var drawn = Picture.Draw(200, 120);
        var source = drawn.Save(saver, options);

        var result = Compressed(source);

        Assert.Equal((format, 200, 120), (result.Format, result.WidthPixels, result.HeightPixels));
        Assert.Equal(format, SourceSniffer.Sniff(result.Body.Span).Format);
        Assert.InRange(result.Body.Length, 1, source.Length);
        Assert.InRange(Picture.Decode(result.Body).Rgb().Psnr(drawn), leastPsnr, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(ImageFormat.Webp)]
    [InlineData(ImageFormat.Avif)]
    internal void The_encoder_tries_as_hard_as_it_is_asked_to(ImageFormat format)
    {
        var source = Picture.Draw(200, 120).Save("pngsave_buffer");

        var quick = Compressed(source, AsItIs with { Format = format, WebpEffort = 0, AvifEffort = 0 });
        var thorough = Compressed(source, AsItIs with { Format = format, WebpEffort = 6, AvifEffort = 4 });

        Assert.InRange(thorough.Body.Length, 1, quick.Body.Length - 1);
    }

    [Fact]
    public void An_output_says_by_which_way_it_was_made_and_why_a_jpeg_took_the_long_one()
    {
        var drawn = Picture.Draw(64, 48);
        Assert.Equal((CodecWay.DctDomain, null), WayOf(drawn.Save("jpegsave_buffer", "Q=95")));
        Assert.Equal(
            (CodecWay.LibVips, JpegNotTaken.Rgb),
            WayOf(drawn.Save("jpegsave_buffer", "Q=95,subsample_mode=off,interlace=false"), AdobeRgb));
        Assert.Equal((CodecWay.Palette, null), WayOf(drawn.Save("pngsave_buffer")));
        Assert.Equal((CodecWay.Planes, null), WayOf(drawn.Save("webpsave_buffer", "Q=95")));
        Assert.Equal((CodecWay.LibVips, null), WayOf(drawn.Save("webpsave_buffer", "lossless=true")));

        static (CodecWay, JpegNotTaken?) WayOf(byte[] source, Func<byte[], byte[]>? change = null)
        {
            var result = Compressed(change?.Invoke(source) ?? source);
            return (result.Way, result.NotTaken);
        }

        // An Adobe segment that says "no transform" makes three components red, green and blue.
        static byte[] AdobeRgb(byte[] jpeg) => [.. jpeg[..2], 0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0, .. jpeg[2..]];
    }

    /// <summary>A file of ours, small for its size: what is compressed less strongly from it is larger.</summary>
    private static byte[] Small(ImageFormat format) =>
        Compressed(Picture.Noise(64, 64).Save("pngsave_buffer"), AsItIs with { Q = 5, Format = format }).Body.ToArray();

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Webp)]
    [InlineData(ImageFormat.Avif)]
    internal void A_larger_output_is_replaced_by_a_clean_source(ImageFormat format)
    {
        var source = Small(format);

        var result = Compressed(source, AsItIs with { Q = 90 });

        Assert.True(result.KeptOriginal);
        Assert.Equal((format, 64, 64), (result.Format, result.WidthPixels, result.HeightPixels));
        Assert.Equal(source, result.Body.ToArray());
    }

    [Fact]
    public void Of_a_source_with_bytes_after_its_end_the_picture_alone_is_passed_on()
    {
        var picture = Small(ImageFormat.Jpeg);
        byte[] source = [.. picture, .. "PK\u0003\u0004 more"u8];

        var result = Compressed(source, AsItIs with { Q = 90 });

        Assert.True(result.KeptOriginal);
        Assert.Equal(picture, result.Body.ToArray());
    }

    [Fact]
    public void A_source_is_not_passed_on_where_another_format_was_asked_for()
    {
        var result = Compressed(Small(ImageFormat.Jpeg), AsItIs with { Format = ImageFormat.Png });

        Assert.Equal((false, ImageFormat.Png), (result.KeptOriginal, result.Format));
    }

    [Theory]
    [InlineData("jpegsave_buffer", "Q=80")]
    [InlineData("jpegsave_buffer", "Q=80,interlace=true")]
    [InlineData("pngsave_buffer", "")]
    [InlineData("pngsave_buffer", "interlace=true")]
    [InlineData("webpsave_buffer", "")]
    [InlineData("gifsave_buffer", "")]
    [InlineData("heifsave_buffer", "compression=av1,effort=0")]
    internal void A_truncated_file_is_corrupt_and_never_half_an_image(string saver, string options)
    {
        var whole = Picture.Noise(80, 80).Save(saver, options);
        foreach (var kept in (double[])[0.3, 0.7, 0.95])
        {
            var refused = Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(whole.AsMemory(0, (int)(whole.Length * kept)), AsItIs));
            Assert.Equal(CodecError.CorruptImage, refused.Error);
        }
    }

    [Theory]
    [InlineData("pngsave_buffer")]
    [InlineData("jpegsave_buffer")]
    public void Too_many_pixels_are_refused_on_the_header(string saver)
    {
        var refused = Assert.IsType<CodecResult.Refused>(
            ImageCodec.Compress(Picture.Draw(100, 100).Save(saver), AsItIs with { MaxPixels = 9_999 }));

        Assert.Equal(CodecError.TooManyPixels, refused.Error);
        Assert.Equal("100 x 100 pixels, more than 9999", refused.Detail);
    }

    [Fact]
    public void A_jpeg_stays_in_the_DCT_domain_and_one_of_another_kind_goes_through_libvips()
    {
        var drawn = Picture.Draw(200, 120);
        var common = drawn.Save("jpegsave_buffer", "Q=95");
        Assert.IsType<JpegTranscodeResult.Done>(JpegTranscoder.Transcode(common, 50, AsItIs.MaxPixels));
        // An Adobe segment that says RGB: the samples are taken for what they are not, but they are decoded.
        byte[] rgb = [.. common[..2], 0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0, .. common[20..]];
        Assert.IsType<JpegTranscodeResult.NotTaken>(JpegTranscoder.Transcode(rgb, 50, AsItIs.MaxPixels));

        Assert.Equal(
            Assert.IsType<JpegTranscodeResult.Done>(JpegTranscoder.Transcode(common, 50, AsItIs.MaxPixels)).Body.ToArray(),
            Compressed(common).Body.ToArray());
        Assert.InRange(Picture.Decode(Compressed(rgb).Body).Psnr(Picture.Decode(rgb)), 25, double.PositiveInfinity);
    }
}
