using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;
using NetVips;

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
        Assert.True(Compress(source, null, null, q: 100).KeptOriginal);

        var result = Compress(source, 63, 63, q: 100);

        Assert.InRange(result.Body.Length, source.Length, int.MaxValue);
        Assert.Equal((false, 63, 63), (result.KeptOriginal, result.WidthPixels, result.HeightPixels));
    }

    [Theory]
    [MemberData(nameof(FidelityTests.Orientations), MemberType = typeof(FidelityTests))]
    public void The_box_is_for_the_picture_as_it_is_seen(string saver, int orientation)
    {
        var upright = Picture.Draw(192, 128);
        ImageCodec.Initialize();
        using var image = upright.StoredFor(orientation).Image().With("orientation", orientation);
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
        using var frames = (drawn ?? Picture.Draw(width, height * 3)).Image()
            .With("page-height", height)
            .With("delay", [100, 250, 70])
            .With("loop", 3);
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

    [Fact]
    public void No_frame_of_an_animation_shows_at_the_edges_of_its_neighbours()
    {
        var drawn = Picture.Draw(60, 40 * 3);
        drawn.Samples.AsSpan(0, 60 * 40 * 3).Fill(255);
        drawn.Samples.AsSpan(60 * 40 * 3, 60 * 40 * 3).Clear();
        drawn.Samples.AsSpan(2 * 60 * 40 * 3).Fill(255);

        var shown = Picture.Decode(Compress(Animation("gifsave_buffer", 60, 40, drawn), 27, null).Body).Rgb();

        Assert.Equal((27, 18 * 3), (shown.Width, shown.Height));
        Assert.All(shown.Samples.Chunk(27 * 18 * 3).Index(), frame => Assert.Equal([(byte)(frame.Index == 1 ? 0 : 255)], frame.Item.Distinct()));
    }

    /// <summary>A frame takes most of a millisecond by itself: beyond a thousand they are shrunk as one image.</summary>
    [Theory]
    [InlineData(1_000, true)]
    [InlineData(1_002, false)]
    [InlineData(10_000, false)]
    public void Frames_may_be_very_many(int count, bool oneByOne)
    {
        // A black frame after a white one, again and again.
        using var two = new Picture(8, 16, 3, [.. Enumerable.Repeat<byte>(255, 192), .. new byte[192]]).Image().With("page-height", 8);
        var pair = Picture.Save(two, "gifsave_buffer");
        var first = pair.AsSpan().IndexOf<byte>([0x21, 0xF9]);
        byte[] gif = [.. pair[..first], .. Enumerable.Repeat(pair[first..^1], count / 2).SelectMany(bytes => bytes), 0x3B];
        Assert.Equal((count, oneByOne), (GifFrames.Count(gif, int.MaxValue - 1), FrameRoll.Takes(count, 16)));

        var result = Compress(gif, 4, 4);

        Assert.Equal((4, 4, count), (result.WidthPixels, result.HeightPixels, GifFrames.Count(result.Body.Span, int.MaxValue - 1)));
    }

    [Fact]
    public void Frames_that_would_not_fit_into_memory_are_shrunk_as_one_image() =>
        Assert.Equal((true, false), (FrameRoll.Takes(100, 671_088), FrameRoll.Takes(100, 671_089)));

    [Theory]
    [InlineData(1, 5_000, 100, 100, 1, 100)]
    [InlineData(5_000, 1, 100, 100, 100, 1)]
    [InlineData(1, 5_000, 100, null, 1, 5_000)]
    [InlineData(3, 5_000, 2, null, 2, 3_333)]
    [InlineData(7, 9, 6, 6, 5, 6)]
    [InlineData(2, 2, 1, null, 1, 1)]
    [InlineData(999, 333, 500, null, 500, 167)]
    [InlineData(1_001, 1_003, 64, 64, 64, 64)]
    public void Long_thin_and_odd_images_keep_a_pixel_and_their_proportions(int width, int height, int? maxWidth, int? maxHeight, int newWidth, int newHeight)
    {
        foreach (var saver in (string[])["pngsave_buffer", "jpegsave_buffer", "webpsave_buffer", "gifsave_buffer"])
        {
            var result = Compress(Picture.Draw(width, height).Save(saver), maxWidth, maxHeight);

            var shown = Picture.Decode(result.Body);
            Assert.Equal((newWidth, newHeight, newWidth, newHeight), (result.WidthPixels, result.HeightPixels, shown.Width, shown.Height));
        }
    }

    /// <summary>Red in front of black that is not seen: it must not be seen afterwards either.</summary>
    [Theory]
    [InlineData("pngsave_buffer", "")]
    [InlineData("webpsave_buffer", "lossless=true,exact=true")]
    [InlineData("heifsave_buffer", "compression=av1,effort=0,lossless=true")]
    public void Edges_of_a_cut_out_get_no_dark_fringe(string saver, string options)
    {
        var drawn = new Picture(300, 300, 4, new byte[300 * 300 * 4]);
        for (var i = 0; i < 300 * 300; i++)
        {
            if (Math.Pow(i % 300 - 150, 2) + Math.Pow(i / 300 - 150, 2) < 130 * 130)
            {
                ((byte[])[230, 30, 30, 255]).CopyTo(drawn.Samples.AsSpan(4 * i));
            }
        }

        var shown = Picture.Decode(Compress(drawn.Save(saver, options), 70, null, q: 90).Body);

        Assert.Equal((70, 70, 4), (shown.Width, shown.Height, shown.Bands));
        var seen = shown.Samples.Chunk(4).Where(pixel => pixel[3] > 60).ToArray();
        Assert.InRange(seen.Length, 2_900, 3_050);
        Assert.Contains(seen, pixel => pixel[3] < 200);
        // As much as it shows; mixed with black, a half covered pixel would be off by 57.
        Assert.All(seen, pixel => Assert.InRange(Math.Max(Math.Abs(pixel[0] - 230), Math.Max(Math.Abs(pixel[1] - 30), Math.Abs(pixel[2] - 30))) * pixel[3] / 255, 0, 16));
    }

    [Theory]
    [InlineData("p3", "jpegsave_buffer", "Q=98,subsample_mode=off")]
    [InlineData("p3", "pngsave_buffer", "")]
    [InlineData("p3", "webpsave_buffer", "Q=98")]
    [InlineData("srgb", "jpegsave_buffer", "Q=98,subsample_mode=off")]
    [InlineData("cmyk", "jpegsave_buffer", "Q=98")]
    public void Colours_survive_their_profile(string profile, string saver, string options)
    {
        var (drawn, centres) = Picture.Patches();
        using var srgb = drawn.Image();
        using var image = srgb.IccTransform(profile, inputProfile: "srgb");
        var source = Picture.Save(image, saver, options);
        var expected = Picture.Decode(source);

        // At quality 90, because squares of 16 pixels show what the encoder does to edges of colour.
        foreach (var width in (int[])[200, 128])
        {
            var shown = Picture.Decode(Compress(source, width, null, q: 90).Body);
            Assert.Equal(width, shown.Width);
            foreach (var (x, y) in centres)
            {
                Assert.InRange(Lab.Distance(expected[x, y], shown[x * width / drawn.Width, y * width / drawn.Width]), 0, 3);
            }
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(1)]
    public void Sixteen_bits_become_eight(int bands)
    {
        var drawn = Picture.Draw(180, 140, bands);
        using var image = drawn.Image();
        using var deep = image.Colourspace(bands == 1 ? Enums.Interpretation.Grey16 : Enums.Interpretation.Rgb16);

        var result = Compress(Picture.Save(deep, "pngsave_buffer"), 90, null);

        var shown = Picture.Decode(result.Body);
        Assert.Equal((90, 70), (shown.Width, shown.Height));
        for (var x = 10; bands > 3 && x < 90; x += 5)
        {
            Assert.InRange(shown[x, 40][3] - drawn[2 * x, 80][3], -24, 24);
        }
        Assert.True(bands > 3 || shown.Rgb().Psnr(drawn.Averaged(90, 70).Rgb()) > 30);
    }

    [Theory]
    [InlineData(3, 8)]
    [InlineData(1, 16)]
    public void TIFF_becomes_a_smaller_JPEG(int bands, int bits)
    {
        var drawn = Picture.Draw(180, 140, bands);
        var samples = bits == 8 ? drawn.Samples : [.. drawn.Samples.SelectMany(sample => (byte[])[sample, sample])];
        var file = TiffFile.Write(180, 140, bands, bits, samples);

        var result = Compress(file, 90, null);

        Assert.Equal((ImageFormat.Jpeg, 90, 70), (result.Format, result.WidthPixels, result.HeightPixels));
        Assert.InRange(Picture.Decode(result.Body).Rgb().Psnr(drawn.Averaged(90, 70).Rgb()), 30, double.PositiveInfinity);
        Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(file.AsMemory(0, file.Length - 400), new CodecRequest { MaxWidth = 90 }));
    }

    /// <summary>What is refused at its own size is refused at a smaller one, whether the decoder shrinks or another; and what passes has all its pixels.</summary>
    [Theory]
    [MemberData(nameof(Savers))]
    public void A_truncated_or_broken_file_is_never_shrunk(string saver, string options)
    {
        var isSlow = saver == "heifsave_buffer";
        var whole = Picture.Noise(133, 137).Save(saver, options);
        var random = new Random(11);
        int[] boxes = [100, 60, 30, 16, 8, 1];
        for (var cut = 0; cut < (isSlow ? 8 : 60); cut++)
        {
            // All of the last bytes, then here and there.
            var length = cut < 20 ? whole.Length - 1 - cut : random.Next(whole.Length);
            var plain = ImageCodec.Compress(whole.AsMemory(0, length), new CodecRequest());
            var shrunk = ImageCodec.Compress(whole.AsMemory(0, length), new CodecRequest { MaxHeight = boxes[cut % 6] });
            Assert.True(shrunk is CodecResult.Refused || plain is CodecResult.Compressed, $"{length} of {whole.Length} bytes at {boxes[cut % 6]} pixels");
            // A PNG has 12 bytes after its last pixel, a GIF one.
            Assert.True(shrunk is CodecResult.Refused || whole.Length - length <= 12);
        }
        for (var i = 0; i < (isSlow ? 8 : 60); i++)
        {
            var broken = whole.ToArray();
            broken[random.Next(broken.Length)] ^= (byte)random.Next(1, 256);
            var plain = ImageCodec.Compress(broken, new CodecRequest { MaxPixels = 4_000_000 });
            var shrunk = ImageCodec.Compress(broken, new CodecRequest { MaxPixels = 4_000_000, MaxHeight = boxes[i % 6] });
            Assert.True(shrunk is CodecResult.Refused || plain is CodecResult.Compressed, $"{Convert.ToBase64String(broken)} at {boxes[i % 6]} pixels");
        }
    }

    [Fact]
    public void A_broken_JPEG_is_made_no_picture_of_any_format_or_size()
    {
        var whole = Picture.Noise(120, 90).Save("jpegsave_buffer", "Q=80");
        // The second half of its data is gone, the end marker is there: libjpeg makes grey of it.
        byte[] broken = [.. whole[..(whole.Length / 2)], 0xFF, 0xD9];

        foreach (var format in (ImageFormat[])[ImageFormat.Jpeg, ImageFormat.Png, ImageFormat.Webp, ImageFormat.Avif])
        {
            foreach (var width in (int?[])[null, 50])
            {
                var refused = Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(broken, new CodecRequest { MaxWidth = width, Format = format }));
                Assert.Equal(CodecError.CorruptImage, refused.Error);
            }
        }
    }

    [Fact]
    public void The_pixel_limit_is_for_the_source_however_small_the_output()
    {
        var refused = Assert.IsType<CodecResult.Refused>(
            ImageCodec.Compress(Picture.Draw(100, 100).Save("jpegsave_buffer"), new CodecRequest { MaxPixels = 9_999, MaxWidth = 1, MaxHeight = 1 }));

        Assert.Equal(new CodecResult.Refused(CodecError.TooManyPixels, "100 x 100 pixels, more than 9999"), refused);
        Assert.Equal(
            new CodecResult.Refused(CodecError.TooManyPixels, "1 x 65536 pixels, a side of more than 65535"),
            ImageCodec.Compress(Picture.Draw(1, 65_536).Save("pngsave_buffer"), new CodecRequest { MaxWidth = 1, MaxHeight = 1 }));
    }

    /// <summary>More pixels than libvips holds in memory by itself; it would write them to a file, and is not let.</summary>
    [Fact]
    public void A_WebP_of_more_than_a_hundred_megabytes_of_pixels_is_shrunk()
    {
        using var dot = new Picture(1, 1, 4, [9, 99, 199, 255]).Image();
        using var wall = dot.Embed(0, 0, 5200, 5200, extend: Enums.Extend.Background, background: [9, 99, 199, 100]);
        var source = Picture.Save(wall, "webpsave_buffer", "lossless=true,effort=0");

        var result = Compress(source, 100, 100);

        Assert.Equal((ImageFormat.Webp, 100, 100), (result.Format, result.WidthPixels, result.HeightPixels));
        Assert.All(Picture.Decode(result.Body)[50, 50].ToArray().Zip((byte[])[9, 99, 199, 100]), sample => Assert.InRange(sample.First - sample.Second, -4, 4));
    }

    /// <summary>The same file at the same box by libvips's own operation: the same size, and nearly the same pixels.</summary>
    [Theory]
    [InlineData("jpegsave_buffer", "Q=95", 38)]
    [InlineData("pngsave_buffer", "", 40)] // 9 x 6 pixels; 45 and more from 37 on: thumbnail cuts what is left over, ours stretches it
    [InlineData("webpsave_buffer", "Q=95", 45)]
    [InlineData("gifsave_buffer", "", 40)]
    public void The_pixels_are_those_of_libvips_thumbnail(string saver, string options, double leastPsnr)
    {
        var file = Picture.Draw(611, 427).Save(saver, options).AsMemory();
        var format = SourceSniffer.Sniff(file.Span).Format!.Value;
        using var pinned = file.Pin();
        foreach (var (maxWidth, maxHeight) in ((int, int)[])[(600, 600), (400, 100), (305, 305), (200, 200), (150, 31), (77, 77), (37, 37), (9, 9)])
        {
            using var thumbnail = Image.ThumbnailBuffer(file.ToArray(), maxWidth, height: maxHeight, size: Enums.Size.Down);
            using var expected = thumbnail.Pixels();
            using var frames = new FrameRoll();
            using var pipeline = new VipsPipeline(VipsTranscoder.Open(pinned, file.Length, format, format));
            var wanted = VipsShrinker.Wanted(pipeline.Image, new SizeBox(maxWidth, maxHeight))!.Value;
            if (VipsShrinker.OnLoad(pipeline.Image, format, wanted) is { } more)
            {
                pipeline.Replace(VipsTranscoder.Open(pinned, file.Length, format, format, more));
            }

            VipsShrinker.Shrink(pipeline, wanted, frames);

            Assert.Equal((thumbnail.Width, thumbnail.Height), (pipeline.Image.Width, pipeline.Image.Height));
            using var pixels = pipeline.Image.Pixels();
            var ours = new Picture(wanted.Width, wanted.Height, pipeline.Image.Bands, pixels.Bytes.ToArray());
            var psnr = ours.Psnr(ours with { Samples = expected.Bytes.ToArray() });
            Assert.True(psnr >= leastPsnr, $"{psnr:f1} dB at {maxWidth} x {maxHeight}");
        }
    }

    [Fact]
    public void Sizes_are_rounded_as_libvips_thumbnail_rounds_them()
    {
        ImageCodec.Initialize();
        var random = new Random(3);
        using var dot = new Picture(1, 1, 1, [128]).Image();
        for (var i = 0; i < 300; i++)
        {
            int width = random.Next(1, 400), height = random.Next(1, 400), maxWidth = random.Next(1, 300), maxHeight = random.Next(1, 300);
            using var image = dot.Embed(0, 0, width, height);
            using var thumbnail = image.ThumbnailImage(maxWidth, height: maxHeight, size: Enums.Size.Down);

            Assert.Equal((width, height, thumbnail.Width, thumbnail.Height), (width, height, new SizeBox(maxWidth, maxHeight).Fit(width, height).Width, new SizeBox(maxWidth, maxHeight).Fit(width, height).Height));
        }
    }
}
