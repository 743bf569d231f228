using Halftone.Codec.Tests.Images;
using Halftone.Codec.Tests.Jpeg;
using Halftone.Codec.Vips;
using Halftone.Codec.Webp;

namespace Halftone.Codec.Tests.Webp;

/// <summary>Whole files through the codec, beside what libvips makes of them.</summary>
public sealed class WebpCodecTests
{
    private static CodecResult.Compressed Compressed(byte[] source, CodecRequest? request = null) =>
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(source, request ?? new CodecRequest()));

    [Theory]
    [InlineData("Q=90")]
    [InlineData("Q=75,effort=0")]
    [InlineData("Q=80,preset=drawing")]
    public void A_lossy_file_is_compressed_in_its_planes_and_is_as_good_as_that_of_libwebp(string options)
    {
        var source = WebpPictures.Busy(240, 200).Save("webpsave_buffer", options);
        var original = Picture.Decode(source);
        foreach (var q in (int[])[30, 50, 80])
        {
            var own = Compressed(source, new CodecRequest { Q = q });
            var theirs = Assert.IsType<CodecResult.Compressed>(
                VipsTranscoder.Transcode(
                    source, SourceFacts.Read(source, ImageFormat.Webp), ImageFormat.Webp, new CodecRequest { Q = q }, out _));

            Assert.Equal((CodecWay.Planes, 240, 200, ImageFormat.Webp), (own.Way, own.WidthPixels, own.HeightPixels, own.Format));
            Assert.InRange(own.Body.Length, 1, theirs.Body.Length * 1.2);
            Assert.InRange(Picture.Decode(own.Body).Psnr(original), Picture.Decode(theirs.Body).Psnr(original) - 0.7, 99);
        }
    }

    [Theory]
    [InlineData("alpha_q=100")]
    [InlineData("alpha_q=40")]
    public void Alpha_goes_with_it_unchanged(string options)
    {
        var source = WebpPictures.Busy(130, 70, bands: 4).Save("webpsave_buffer", "Q=90," + options);

        var result = Compressed(source);

        Assert.Equal(CodecWay.Planes, result.Way);
        Assert.InRange(result.Body.Length, 1, source.Length - 1);
        Assert.Equal(Alpha(source), Alpha(result.Body));

        static byte[] Alpha(ReadOnlyMemory<byte> file) => [.. Picture.Decode(file).Samples.Where((_, i) => i % 4 == 3)];
    }

    /// <summary>libwebp is the judge: what it cannot read must not be copied.</summary>
    [Fact]
    public void Alpha_that_is_broken_or_cut_is_not_copied()
    {
        var source = WebpPictures.Busy(90, 70, bands: 4).Save("webpsave_buffer", "Q=60,keep=none");
        Assert.Null(WebpFile.Read(source, out var file));
        byte[] frame = file.Frame.ToArray(), alpha = file.Alpha.ToArray();
        Assert.True(AlphaCheck.IsWhole(alpha, 90, 70));
        var random = new Random(1);
        int passed = 0, refused = 0;
        for (var i = 0; i < 400; i++)
        {
            var broken = i % 4 == 0 ? alpha[..random.Next(1, alpha.Length)] : alpha.ToArray();
            for (var flips = i % 4; flips > 0; flips--)
            {
                broken[random.Next(Math.Min(broken.Length, i % 3 == 0 ? 30 : broken.Length))] ^= (byte)(1 << random.Next(8));
            }

            var result = ImageCodec.Compress(WebpFile.Write(frame, broken, default, 90, 70), new CodecRequest());
            if (AlphaCheck.IsWhole(broken, 90, 70))
            {
                passed++;
                Assert.Equal(90, Picture.Decode(Assert.IsType<CodecResult.Compressed>(result).Body).Width);
            }
            else if (result is CodecResult.Refused { Error: CodecError.CorruptImage })
            {
                refused++;
            }
        }

        Assert.True(passed > 0 && refused > 200, $"{passed} passed, {refused} refused");
    }

    [Fact]
    public void A_small_profile_stays_and_sRGB_is_dropped()
    {
        var (drawn, centres) = Picture.Patches();
        using var wide = drawn.Image().With("icc-profile-data", MatrixProfile.AdobeRgb());
        var source = Picture.Save(wide, "webpsave_buffer", "Q=98");

        var result = Compressed(source);

        Assert.Equal(CodecWay.Planes, result.Way);
        Assert.Null(WebpFile.Read(result.Body.Span, out var file));
        Assert.False(file.Profile.IsEmpty);
        var before = Picture.Decode(source);
        var after = Picture.Decode(result.Body);
        Assert.All(centres, centre => Assert.InRange(Lab.Distance(before[centre.X, centre.Y], after[centre.X, centre.Y]), 0, 6));
    }

    [Fact]
    public void What_needs_pixels_is_left_to_libvips()
    {
        var busy = WebpPictures.Busy(60, 40);
        using var large = busy.Image().With("icc-profile-data", MatrixProfile.AdobeRgb(100_000));
        using var turned = busy.Image().With("orientation", 6);
        using var animation = WebpPictures.Busy(40, 80).Image().With("page-height", 40);

        Assert.Equal(CodecWay.LibVips, Compressed(Picture.Save(large, "webpsave_buffer", "Q=90")).Way);
        Assert.Equal((CodecWay.LibVips, 40, 60), Of(Compressed(Picture.Save(turned, "webpsave_buffer", "Q=90"))));
        Assert.Equal(CodecWay.LibVips, Compressed(Picture.Save(animation, "webpsave_buffer", "Q=90")).Way);
        Assert.Equal(CodecWay.LibVips, Compressed(busy.Save("webpsave_buffer", "lossless=true")).Way);
        Assert.Equal(CodecWay.LibVips, Compressed(busy.Save("webpsave_buffer", "Q=90"), new CodecRequest { WebpEffort = 5 }).Way);
        Assert.Equal((CodecWay.LibVips, 30, 20), Of(Compressed(busy.Save("webpsave_buffer", "Q=90"), new CodecRequest { MaxWidth = 30 })));

        static (CodecWay, int, int) Of(CodecResult.Compressed result) => (result.Way, result.WidthPixels, result.HeightPixels);
    }

    [Fact]
    public void A_cut_file_is_corrupt_at_every_length()
    {
        var whole = WebpPictures.Busy(64, 64).Save("webpsave_buffer", "Q=80,keep=none");
        for (var length = 12; length < whole.Length; length += 17)
        {
            Assert.Equal(CodecError.CorruptImage, Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(whole.AsMemory(0, length),
                new CodecRequest())).Error);
        }
    }

    [Fact]
    public void The_pixel_limit_holds_before_anything_is_decoded() => Assert.Equal(
        new CodecResult.Refused(CodecError.TooManyPixels, "60 x 40 pixels, more than 2399"),
        ImageCodec.Compress(WebpPictures.Busy(60, 40).Save("webpsave_buffer"), new CodecRequest { MaxPixels = 2_399 }));

    public static TheoryData<string, int, int> Jpegs => new(
        from sampling in (string[])["2x2 1x1 1x1", "2x1 1x1 1x1", "1x2 1x1 1x1", "1x1 1x1 1x1", "2x2 1x2 1x2", "2x2 2x1 2x1",
            "2x1 2x1 2x1", "1x1"]
        from size in (int[])[1, 17, 64, 95]
        select (sampling, size, size * 3 / 4 + 1));

    /// <summary>Of every order of scans, beside the pixels that libjpeg shows.</summary>
    [Theory]
    [MemberData(nameof(Jpegs))]
    public void A_JPEG_becomes_WebP_from_its_own_planes(string sampling, int width, int height)
    {
        var factors = sampling.Split(' ').Select(s => (s[0] - '0', s[2] - '0')).ToArray();
        var plain = new TestJpeg { Sampling = factors, RestartInterval = width % 3 };
        foreach (var jpeg in (TestJpeg[])[plain, plain with { IsInterleaved = false }, plain with { IsProgressive = true }])
        {
            var source = jpeg.Write(Picture.Draw(width, height, factors.Length == 1 ? 1 : 3));

            var result = Compressed(source, new CodecRequest { Q = 95, Format = ImageFormat.Webp });

            Assert.Equal((CodecWay.Planes, width, height), (result.Way, result.WidthPixels, result.HeightPixels));
            Assert.InRange(Picture.Decode(result.Body).Psnr(Picture.Decode(source).Rgb()), 26, double.PositiveInfinity);
        }
    }

    [Fact]
    public void A_JPEG_of_another_kind_goes_to_WebP_through_libvips_and_a_broken_one_nowhere()
    {
        var drawn = Picture.Draw(64, 48);
        var odd = new TestJpeg { Sampling = [(4, 1), (1, 1), (1, 1)] }.Write(drawn);
        using var turned = drawn.Image().With("orientation", 8);
        var request = new CodecRequest { Format = ImageFormat.Webp };

        Assert.Equal(CodecWay.LibVips, Compressed(odd, request).Way);
        Assert.Equal((CodecWay.LibVips, 48), (Compressed(Picture.Save(turned, "jpegsave_buffer"), request).Way,
            Compressed(Picture.Save(turned, "jpegsave_buffer"), request).WidthPixels));
        var cut = WebpPictures.Busy(64, 64).Save("jpegsave_buffer", "Q=90");
        Assert.Equal(CodecError.CorruptImage, Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(cut.AsMemory(0, cut.Length / 2),
            request)).Error);
    }
}
