using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>Whole files, with libvips as the oracle: it decodes what comes out, and its own output at the quality is the measure.</summary>
public sealed class JpegTranscoderTests
{
    private const long MaxPixels = 1_000_000;

    public static TheoryData<int, int> Sizes => new(
        from width in (int[])[1, 7, 8, 9, 16, 17, 33, 200] from height in (int[])[1, 8, 15, 17, 121] select (width, height));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_size_keeps_its_size_and_looks_as_libvips_makes_it(int width, int height)
    {
        foreach (var options in (string[])["Q=92,subsample_mode=on", "Q=92,subsample_mode=off", "Q=92,interlace=true", "Q=92,interlace=true,subsample_mode=off"])
        {
            CompareWithLibVips(Picture.Draw(width, height).Save("jpegsave_buffer", options + ",keep=none"), 50);
        }
    }

    [Theory]
    [InlineData("2x2 1x1 1x1", 2, 2)]
    [InlineData("2x1 1x1 1x1", 2, 2)]
    [InlineData("1x2 1x1 1x1", 2, 2)]
    [InlineData("1x1 1x1 1x1", 2, 2)]
    [InlineData("2x2 1x2 1x2", 2, 2)]
    [InlineData("2x2 2x1 2x1", 2, 2)]
    [InlineData("1x3 1x3 1x3", 2, 2)]
    [InlineData("2x1 2x1 2x1", 2, 2)]
    [InlineData("4x1 1x1 1x1", 4, 1)]
    [InlineData("1x4 1x1 1x1", 1, 4)]
    [InlineData("4x2 1x1 1x1", 4, 2)]
    [InlineData("3x1 1x1 1x1", 3, 1)]
    [InlineData("4x1 2x1 2x1", 2, 2)]
    [InlineData("1x1", 1, 1)]
    [InlineData("2x2", 1, 1)]
    public void Every_sampling_restart_interval_and_order_of_scans_is_read(string sampling, int lumaH, int lumaV)
    {
        var factors = sampling.Split(' ').Select(s => (s[0] - '0', s[2] - '0')).ToArray();
        foreach (var size in (int[])[8, 33, 75])
        {
            var picture = Picture.Draw(size + 3, size, factors.Length == 1 ? 1 : 3);
            foreach (var restart in (int[])[0, 1, 3, 1000])
            {
                var plain = new TestJpeg { Sampling = factors, RestartInterval = restart };
                foreach (var file in (TestJpeg[])[plain, plain with { IsInterleaved = false }, plain with { IsProgressive = true }])
                {
                    var done = CompareWithLibVips(file.Write(picture), 50);

                    var luma = JpegHeader.Read(done.Body.Span, MaxPixels, out _)!.Frame.Components[0];
                    Assert.Equal((lumaH, lumaV), (luma.H, luma.V));
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(50)]
    [InlineData(80)]
    [InlineData(95)]
    [InlineData(100)]
    public void Every_quality_is_met(int q)
    {
        foreach (var options in (string[])["Q=97,subsample_mode=on", "Q=75,subsample_mode=on", "Q=97,subsample_mode=off", "Q=97,interlace=true"])
        {
            CompareWithLibVips(Picture.Draw(120, 90).Save("jpegsave_buffer", options + ",keep=none"), q);
        }
    }

    [Theory]
    [InlineData("Q=50,subsample_mode=off")]
    [InlineData("Q=30,subsample_mode=on")]
    [InlineData("Q=50,interlace=true")]
    public void A_source_at_or_below_the_quality_keeps_every_pixel(string options)
    {
        byte[] source = [.. Picture.Draw(130, 70).Save("jpegsave_buffer", options + ",keep=none"), .. "trailing"u8];

        var done = Done(source, 50);

        Assert.True(done.IsLossless);
        Assert.True(done.Body.Length < source.Length);
        Assert.Equal(Decode(source).Samples, Decode(done.Body).Samples);
    }

    [Fact]
    public void A_source_that_cannot_get_shorter_and_has_nothing_to_drop_is_kept()
    {
        var once = Done(Picture.Noise(64, 64).Save("jpegsave_buffer", "Q=90,keep=none"), 50);

        Assert.Equal(new JpegTranscodeResult.KeepOriginal(64, 64), JpegTranscoder.Transcode(once.Body.Span, 50, MaxPixels));
    }

    [Fact]
    public void What_cannot_get_shorter_still_loses_its_metadata_and_what_follows_its_end()
    {
        var bare = Done(Picture.Noise(64, 64).Save("jpegsave_buffer", "Q=90,keep=none"), 50).Body.ToArray();
        var comment = TestJpeg.Segment(Marker.Com, [.. "where and by whom"u8]);
        byte[] source = [.. bare[..20], .. comment, .. bare[20..], .. "PK"u8];

        var done = Done(source, 50);

        Assert.True(done.IsLossless);
        Assert.Equal(bare, done.Body.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Orientation_is_written_back_and_the_size_is_the_one_shown(int orientation)
    {
        var drawn = new TestJpeg { Extra = JpegWriter.OrientationSegment(orientation) }.Write(Picture.Draw(90, 50));

        var done = Done(drawn, 50);

        Assert.Equal(orientation >= 5 ? (50, 90) : (90, 50), (done.WidthPixels, done.HeightPixels));
        Assert.Equal(Picture.Decode(drawn).Width, Picture.Decode(done.Body).Width);
        Assert.InRange(Picture.Decode(drawn).Psnr(Picture.Decode(done.Body)), 35, double.PositiveInfinity);
        Assert.Equal(orientation, JpegHeader.Read(done.Body.Span, MaxPixels, out _)!.Metadata.Orientation);
    }

    [Fact]
    public void White_stays_white_and_black_stays_black()
    {
        foreach (var level in (byte[])[0, 255])
        {
            var flat = new Picture(64, 64, 3, [.. Enumerable.Repeat(level, 64 * 64 * 3)]);
            foreach (var from in (int[])[55, 60, 75, 80, 85, 90, 95, 99])
            {
                foreach (var to in (int[])[10, 25, 50, 53])
                {
                    var source = new TestJpeg { Q = from }.Write(flat);
                    var result = JpegTranscoder.Transcode(source, to, MaxPixels);
                    if (result is JpegTranscodeResult.Done done)
                    {
                        Assert.Equal(Decode(source).Samples, Decode(done.Body).Samples);
                    }
                }
            }
        }
    }

    /// <summary>Decodes strictly, and holds size, pixels and bytes against libvips's own output at the quality.</summary>
    private static JpegTranscodeResult.Done CompareWithLibVips(byte[] source, int q)
    {
        var result = JpegTranscoder.Transcode(source, q, MaxPixels);
        var before = Decode(source);
        if (result is JpegTranscodeResult.KeepOriginal)
        {
            return new JpegTranscodeResult.Done(source, before.Width, before.Height, IsLossless: true);
        }
        var done = Assert.IsType<JpegTranscodeResult.Done>(result);
        Assert.Equal((before.Width, before.Height), (done.WidthPixels, done.HeightPixels));
        Assert.InRange(done.Body.Length, 1, source.Length);
        var theirs = Decode(before.Save("jpegsave_buffer", $"Q={q},subsample_mode=on,keep=none"));
        // For rounding and for chroma that was sampled another way; of few blocks a single rounding decides; beyond 48 dB one
        // level is the difference.
        var tolerance = before.Width * before.Height < 64 * 64 ? 5 : 1.5;
        Assert.InRange(Decode(done.Body).Psnr(before), Math.Min(48, theirs.Psnr(before) - tolerance), double.PositiveInfinity);
        return done;
    }

    private static JpegTranscodeResult.Done Done(byte[] source, int q) =>
        Assert.IsType<JpegTranscodeResult.Done>(JpegTranscoder.Transcode(source, q, MaxPixels));

    private static Picture Decode(ReadOnlyMemory<byte> file) => StrictDecoder.Decode(file);
}
