using System.Security.Cryptography;
using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>What the three styles write. The sources are large enough for a progressive output.</summary>
public sealed class JpegStyleTests
{
    private const long MaxPixels = 4_000_000;

    private static readonly byte[] Photo = new TestJpeg { Q = 92 }.Write(Grainy(330, 250));

    [Fact]
    public void Classic_writes_the_tables_of_annex_k_in_one_scan()
    {
        var header = Header(Done(Photo, 50, JpegStyle.Classic).Body);

        Assert.False(header.Frame.IsProgressive);
        Assert.Equal(QualitySteps.Steps(50, isChroma: false), header.Tables.Steps[0]!.Select(step => (byte)step));
        Assert.Equal(QualitySteps.Steps(50, isChroma: true), header.Tables.Steps[1]!.Select(step => (byte)step));
    }

    [Fact]
    public void Optimised_is_progressive_where_the_source_is_large_and_baseline_never()
    {
        var small = new TestJpeg { Q = 92 }.Write(Picture.Draw(60, 50));

        Assert.True(Header(Done(Photo, 50).Body).Frame.IsProgressive);
        Assert.False(Header(Done(small, 50).Body).Frame.IsProgressive);
        Assert.False(Header(Done(Photo, 50, JpegStyle.Baseline).Body).Frame.IsProgressive);
    }

    [Fact]
    public void Optimised_is_smaller_than_classic_and_progressive_smaller_than_baseline()
    {
        var classic = Done(Photo, 50, JpegStyle.Classic).Body.Length;
        var baseline = Done(Photo, 50, JpegStyle.Baseline).Body.Length;
        var progressive = Done(Photo, 50).Body.Length;

        Assert.InRange(baseline, 1, classic);
        Assert.InRange(progressive, 1, baseline);
    }

    [Theory]
    [InlineData("", "813ed9b67e1c9616")]
    [InlineData("grey", "eba16aa3ce2c5c68")]
    public void Every_style_writes_the_bytes_that_it_wrote_before(string kind, string expected)
    {
        var source = kind == "grey" ? new TestJpeg { Q = 92, Sampling = [(1, 1)] }.Write(Grainy(330, 250, 1)) : Photo;
        var outputs = from style in Enum.GetValues<JpegStyle>() from q in (int[])[20, 50, 80] select Done(source, q, style).Body.ToArray();

        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData([.. outputs.SelectMany(body => body)]))[..16]);
    }

    [Theory]
    [InlineData(75)]
    [InlineData(92)]
    public void Each_level_is_nothing_the_nearest_one_or_the_one_below_it(int sourceQ)
    {
        var source = new TestJpeg { Q = sourceQ, IsInterleaved = false }.Write(Grainy(330, 250));
        var (before, after) = (Coefficients(source), Coefficients(Done(source, 50).Body.ToArray()));
        for (var c = 0; c < 3; c++)
        {
            Assert.Equal(before[c].Levels.Length, after[c].Levels.Length);
            for (var i = 0; i < before[c].Levels.Length; i++)
            {
                var k = i % 64;
                var exact = (double)before[c].Levels[i] * before[c].Steps[k] / after[c].Steps[k];
                double nearest = Math.Floor(Math.Abs(exact) + 0.5), written = Math.Abs(after[c].Levels[i]);
                Assert.True(
                    k == 0 ? Math.Abs(exact - after[c].Levels[i]) <= 1.01
                        : written == 0 || (written <= nearest + 0.01 && written >= nearest - 1),
                    $"component {c}, block {i / 64}, index {k}: {exact} became {after[c].Levels[i]}");
            }
        }
    }

    [Fact]
    public void A_progressive_output_decodes_as_the_same_coefficients_in_one_scan_do()
    {
        foreach (var sampling in ((int, int)[][])[[(2, 2), (1, 1), (1, 1)], [(1, 1), (1, 1), (1, 1)], [(2, 1), (1, 1), (1, 1)], [(1, 1)]])
        {
            var source = new TestJpeg { Q = 92, Sampling = sampling }.Write(Grainy(331, 249, sampling.Length));
            var progressive = Done(source, 50).Body;
            Assert.True(Header(progressive).Frame.IsProgressive);

            // It is at the quality, so its coefficients are copied; a comment makes it worth writing anew.
            byte[] padded = [.. progressive.Span[..2], .. TestJpeg.Segment(Marker.Com, new byte[9000]), .. progressive.Span[2..]];
            var again = JpegTranscoder.Transcode(padded, 50, MaxPixels, default, JpegStyle.Baseline);

            var baseline = Assert.IsType<JpegTranscodeResult.Done>(again);
            Assert.True(baseline.IsLossless);
            Assert.Equal(StrictDecoder.Decode(progressive).Samples, StrictDecoder.Decode(baseline.Body).Samples);
        }
    }

    [Fact]
    public void A_run_of_more_empty_blocks_than_one_symbol_ends_is_written()
    {
        var flat = new Picture(1600, 1408, 1, [.. Enumerable.Repeat((byte)90, 1600 * 1408)]);
        var source = new TestJpeg { Q = 92, Sampling = [(1, 1)] }.Write(flat);

        var done = Done(source, 50);

        Assert.True(Header(done.Body).Frame.IsProgressive);
        Assert.InRange(StrictDecoder.Decode(done.Body).Psnr(flat), 40, double.PositiveInfinity);
    }

    [Fact]
    public void Bytes_grow_with_the_quality()
    {
        byte[] drawing = new TestJpeg { Q = 97, Sampling = [(1, 1), (1, 1), (1, 1)] }.Write(Picture.Draw(200, 180));
        foreach (var source in (byte[][])[Photo, drawing, Picture.Noise(160, 120).Save("jpegsave_buffer", "Q=96,keep=none")])
        {
            foreach (var style in Enum.GetValues<JpegStyle>())
            {
                var last = 0;
                for (var q = 10; q <= 95; q += 5)
                {
                    var result = JpegTranscoder.Transcode(source, q, MaxPixels, default, style);
                    var bytes = result is JpegTranscodeResult.Done done ? done.Body.Length : source.Length;
                    Assert.True(bytes >= last, $"{style}: {bytes} bytes at quality {q}, {last} below it");
                    last = bytes;
                }
            }
        }
    }

    [Fact]
    public void An_output_is_kept_as_it_is_when_it_comes_back()
    {
        foreach (var sampling in ((int, int)[][])[[(2, 2), (1, 1), (1, 1)], [(1, 1), (1, 1), (1, 1)]])
        {
            var once = Done(new TestJpeg { Q = 92, Sampling = sampling }.Write(Grainy(330, 250)), 50).Body;

            Assert.IsType<JpegTranscodeResult.KeepOriginal>(JpegTranscoder.Transcode(once.Span, 50, MaxPixels));
        }
    }

    [Fact]
    public void A_source_that_would_lose_pixels_for_a_few_bytes_keeps_them()
    {
        var source = Grainy(330, 250).Save("jpegsave_buffer", "Q=52,interlace=true,optimize_coding=true,keep=none");

        switch (JpegTranscoder.Transcode(source, 50, MaxPixels))
        {
            case JpegTranscodeResult.Done done:
                Assert.True(done.IsLossless || done.Body.Length <= source.Length * 0.95);
                break;
            case var result:
                Assert.IsType<JpegTranscodeResult.KeepOriginal>(result);
                break;
        }
    }

    [Fact]
    public void Red_letters_keep_their_chroma_and_a_soft_picture_does_not()
    {
        var letters = new Picture(240, 160, 3, Pixels(240, 160, (x, y) => (x / 3 + y / 5) % 3 == 0 ? [220, 10, 20] : [255, 255, 255]));
        var soft = new Picture(240, 160, 3, Pixels(240, 160, (x, y) => [(byte)x, (byte)y, (byte)(x / 2 + y / 2)]));
        var sampling = ((int, int)[])[(1, 1), (1, 1), (1, 1)];

        Assert.Equal(1, LumaAcross(letters, JpegStyle.Optimised));
        Assert.Equal(2, LumaAcross(soft, JpegStyle.Optimised));
        Assert.Equal(2, LumaAcross(letters, JpegStyle.Classic));

        int LumaAcross(Picture picture, JpegStyle style) =>
            Header(Done(new TestJpeg { Q = 95, Sampling = sampling }.Write(picture), 50, style).Body).Frame.Components[0].H;
    }

    /// <summary>A drawing with the noise of a sensor.</summary>
    private static Picture Grainy(int width, int height, int bands = 3)
    {
        var picture = Picture.Draw(width, height, bands);
        var random = new Random(5);
        return picture with { Samples = [.. picture.Samples.Select(sample => (byte)Math.Clamp(sample + random.Next(-14, 15), 0, 255))] };
    }

    private static byte[] Pixels(int width, int height, Func<int, int, byte[]> colour) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from sample in colour(x, y) select sample];

    private static JpegHeader Header(ReadOnlyMemory<byte> file) => JpegHeader.Read(file.Span, MaxPixels, out _)!;

    private static JpegTranscodeResult.Done Done(byte[] source, int q, JpegStyle style = default) =>
        Assert.IsType<JpegTranscodeResult.Done>(JpegTranscoder.Transcode(source, q, MaxPixels, default, style));

    /// <summary>By component: every block's coefficients in zigzag order, and their steps. The file must have several scans.</summary>
    private static (int[] Levels, ushort[] Steps)[] Coefficients(byte[] file)
    {
        var header = Header(file);
        using var workspace = new JpegWorkspace();
        // Decodes all of it into the planes, and then says that it was not asked to encode.
        Assert.IsType<JpegTranscodeResult.NotTaken>(new JpegTranscoding(workspace, header, 50, default, encodes: false).Run(file));
        return [.. header.Frame.Components.Select((component, c) => (Levels(workspace.Planes[c], component), component.Steps))];
    }

    private static int[] Levels(CoefficientPlane plane, JpegComponent component) =>
    [
        .. from y in Enumerable.Range(0, component.BlocksHigh) from x in Enumerable.Range(0, component.BlocksWide)
           let at = (long)y * plane.BlocksWide + x
           from k in Enumerable.Range(0, 64) select (plane.Marks(at) >> k & 1) == 0 ? 0 : plane.Block(at)[k],
    ];
}
