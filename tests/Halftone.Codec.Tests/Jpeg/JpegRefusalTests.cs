using System.Buffers.Binary;
using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>What the DCT path does not take, with the reason that is counted, and what it calls broken.</summary>
public sealed class JpegRefusalTests
{
    private const long MaxPixels = 1_000_000;

    private static readonly byte[] Baseline = new TestJpeg().Write(Picture.Draw(64, 48));

    private static readonly byte[] AdobeRgbMarker = TestJpeg.Segment(Marker.App14, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]);

    [Theory]
    [InlineData(Marker.Sof3, JpegNotTaken.Lossless)]
    [InlineData(Marker.Sof5, JpegNotTaken.Hierarchical)]
    [InlineData(Marker.Dhp, JpegNotTaken.Hierarchical)]
    [InlineData(Marker.Sof9, JpegNotTaken.Arithmetic)]
    [InlineData(Marker.Dac, JpegNotTaken.Arithmetic)]
    [InlineData(Marker.Dnl, JpegNotTaken.UnusualMarkers)]
    internal void Other_processes_are_left_to_the_general_decoder(byte marker, JpegNotTaken reason)
    {
        var file = Baseline.ToArray();
        file[Find(file, Marker.Sof0) + 1] = marker;

        Assert.Equal(new JpegTranscodeResult.NotTaken(reason), JpegTranscoder.Transcode(file, 50, MaxPixels));
    }

    [Fact]
    public void Twelve_bits_Cmyk_and_two_components_are_left_to_the_general_decoder()
    {
        var frame = Find(Baseline, Marker.Sof0);
        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.SamplePrecision), WithByte(frame + 4, 12));
        foreach (var (count, reason) in new[] { (4, JpegNotTaken.Cmyk), (2, JpegNotTaken.ComponentCount) })
        {
            var components = Enumerable.Range(1, count).SelectMany(c => (byte[])[(byte)c, 0x11, 0]);
            byte[] file =
            [
                .. Baseline[..frame], .. TestJpeg.Segment(Marker.Sof0, [8, 0, 48, 0, 64, (byte)count, .. components]),
                .. Baseline[(frame + 19)..],
            ];
            Assert.Equal(new JpegTranscodeResult.NotTaken(reason), JpegTranscoder.Transcode(file, 50, MaxPixels));
        }
    }

    [Fact]
    public void Rgb_is_known_by_an_Adobe_segment_or_by_the_ids()
    {
        var rgb = new JpegTranscodeResult.NotTaken(JpegNotTaken.Rgb);

        Assert.Equal(rgb, Transcode(new TestJpeg { Extra = AdobeRgbMarker }));
        Assert.Equal(rgb, Transcode(new TestJpeg { Ids = "RGB"u8.ToArray() }));
        Assert.IsType<JpegTranscodeResult.Done>(Transcode(new TestJpeg { Ids = [0, 1, 2] }));
    }

    [Theory]
    [InlineData("1x1 2x2 2x2")]
    [InlineData("3x1 2x1 2x1")]
    [InlineData("2x2 1x1 2x1")]
    public void Chroma_of_odd_sampling_is_left_to_the_general_decoder(string sampling) =>
        // Written for other factors: the header alone decides.
        Assert.Equal(
            JpegNotTaken.OddSampling,
            Assert.IsType<JpegTranscodeResult.NotTaken>(JpegTranscoder.Transcode(Resampled(sampling), 50, MaxPixels)).Reason);

    [Fact]
    public void Profiles_are_dropped_kept_or_left_to_libvips()
    {
        var srgb = Profile(0.4361, 1);
        var wide = Profile(0.5151, 1);

        Assert.Null(HeaderOf(Transcode(WithProfile([srgb]))).Metadata.Profile);
        Assert.Equal(wide, HeaderOf(Transcode(WithProfile([wide]))).Metadata.Profile);
        Assert.Equal(wide, HeaderOf(Transcode(WithProfile([wide[..100], wide[100..]]))).Metadata.Profile);
        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.LargeProfile), Transcode(WithProfile([[.. wide, .. new byte[5000]]])));
        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.BrokenProfile), Transcode(WithProfile([wide[..100]])));
        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.BrokenProfile), Transcode(WithProfile([wide], count: 2)));
        var grey = new TestJpeg { Sampling = [(1, 1)], Extra = WithProfile([wide]).Extra };
        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.BrokenProfile), Transcode(grey));
    }

    [Fact]
    public void The_pixel_limit_counts_on_the_header()
    {
        Assert.Equal(new JpegTranscodeResult.TooManyPixels(64, 48), JpegTranscoder.Transcode(Baseline, 50, 64 * 48 - 1));
        Assert.IsType<JpegTranscodeResult.Done>(JpegTranscoder.Transcode(Baseline, 50, 64 * 48));
    }

    [Theory]
    [InlineData(false, false, 0)]
    [InlineData(false, false, 2)]
    [InlineData(false, true, 0)]
    [InlineData(true, false, 0)]
    [InlineData(true, false, 2)]
    public void A_file_that_is_cut_is_an_image_only_where_nothing_but_its_end_marker_is_missing(
        bool isProgressive, bool isByComponent, int restart)
    {
        var file = new TestJpeg { IsProgressive = isProgressive, IsInterleaved = !isByComponent, RestartInterval = restart }.Write(
            Picture.Draw(40, 40));
        for (var length = 0; length < file.Length; length++)
        {
            var result = JpegTranscoder.Transcode(file.AsSpan(0, length), 50, MaxPixels);
            Assert.IsType(length < file.Length - 2 ? typeof(JpegTranscodeResult.Corrupt) : typeof(JpegTranscodeResult.Done), result);
        }
    }

    [Fact]
    public void A_libvips_progressive_file_that_is_cut_is_an_image_only_where_nothing_but_its_end_marker_is_missing()
    {
        var file = Picture.Draw(60, 50).Save("jpegsave_buffer", "Q=90,interlace=true,keep=none");
        for (var length = 0; length < file.Length; length++)
        {
            Assert.Equal(
                length >= file.Length - 2, JpegTranscoder.Transcode(file.AsSpan(0, length), 50, MaxPixels) is JpegTranscodeResult.Done);
        }
    }

    [Fact]
    public void An_end_marker_does_not_make_a_whole_of_half_a_scan()
    {
        byte[] half = [.. Baseline[..(Baseline.Length * 3 / 4)], 0xFF, Marker.Eoi];

        Assert.IsType<JpegTranscodeResult.Corrupt>(JpegTranscoder.Transcode(half, 50, MaxPixels));
    }

    [Fact]
    public void A_missing_or_swapped_restart_marker_is_corrupt()
    {
        var file = new TestJpeg { RestartInterval = 2 }.Write(Picture.Draw(64, 64));
        var first = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, Marker.Rst0]);
        var swapped = file.ToArray();
        swapped[first + 1]++;

        Assert.IsType<JpegTranscodeResult.Corrupt>(JpegTranscoder.Transcode(swapped, 50, MaxPixels));
        Assert.IsType<JpegTranscodeResult.Corrupt>(JpegTranscoder.Transcode([.. file[..first], .. file[(first + 2)..]], 50, MaxPixels));
    }

    [Fact]
    public void Data_after_the_last_block_are_for_the_general_decoder_to_judge()
    {
        byte[] file = [.. Baseline[..^2], 1, 2, 3, 0xFF, Marker.Eoi];

        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.ExtraData), JpegTranscoder.Transcode(file, 50, MaxPixels));
    }

    [Fact]
    public void Scans_that_repeat_or_are_missing_are_for_the_general_decoder_to_judge()
    {
        var file = new TestJpeg { IsProgressive = true }.Write(Picture.Draw(40, 40));
        var lastScan = file.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, Marker.Sos]);

        byte[] repeated = [.. file[..^2], .. file[lastScan..]], missing = [.. file[..lastScan], 0xFF, Marker.Eoi];

        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans), JpegTranscoder.Transcode(repeated, 50, MaxPixels));
        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans), JpegTranscoder.Transcode(missing, 50, MaxPixels));
    }

    [Fact]
    public void Thousands_of_passes_over_an_image_are_refused_before_they_are_made()
    {
        // Every coefficient of a component in its own scan, bit by bit: legal, and 63 × 14 passes long.
        var file = new TestJpeg { Sampling = [(1, 1)], IsProgressive = true, Ids = [1] }.Write(Picture.Draw(40, 40));
        var scans = Find(file, Marker.Sos);
        var dcEnd = scans + 2 + file.AsSpan(scans + 2).IndexOf((ReadOnlySpan<byte>)[0xFF, Marker.Sos]);
        List<byte> bomb = [.. file[..dcEnd]];
        for (var k = 1; k < 64; k++)
        {
            // All 25 blocks end at once; each has the flat code 0 in 8 bits.
            bomb.AddRange(TestJpeg.Segment(Marker.Sos, [1, 1, 0, (byte)k, (byte)k, 0]));
            bomb.AddRange(new byte[25]);
        }

        bomb.AddRange([0xFF, Marker.Eoi]);

        Assert.Equal(new JpegTranscodeResult.NotTaken(JpegNotTaken.TooManyScans), JpegTranscoder.Transcode(bomb.ToArray(), 50, MaxPixels));
    }

    private static JpegTranscodeResult WithByte(int at, byte value)
    {
        var file = Baseline.ToArray();
        file[at] = value;
        return JpegTranscoder.Transcode(file, 50, MaxPixels);
    }

    private static JpegTranscodeResult Transcode(TestJpeg file) =>
        JpegTranscoder.Transcode(file.Write(Picture.Draw(64, 48, file.Sampling.Length)), 50, MaxPixels);

    private static JpegHeader HeaderOf(JpegTranscodeResult result) =>
        JpegHeader.Read(Assert.IsType<JpegTranscodeResult.Done>(result).Body.Span, MaxPixels, out _)!;

    private static byte[] Resampled(string sampling)
    {
        var file = Baseline.ToArray();
        var at = Find(file, Marker.Sof0) + 10;
        foreach (var (factor, c) in sampling.Split(' ').Select((s, c) => (s, c)))
        {
            file[at + 3 * c + 1] = (byte)((factor[0] - '0') << 4 | (factor[2] - '0'));
        }

        return file;
    }

    private static TestJpeg WithProfile(byte[][] parts, int count = 0) => new()
    {
        Extra =
        [
            .. parts.SelectMany((part, i) =>
                TestJpeg.Segment(Marker.App2, [.. "ICC_PROFILE\0"u8, (byte)(i + 1), (byte)(count == 0 ? parts.Length : count), .. part])),
        ],
    };

    /// <summary>A matrix profile with sRGB's curve whose red may stand elsewhere.</summary>
    private static byte[] Profile(double redX, int curveKind)
    {
        (string Name, byte[] Data)[] tags =
        [
            ("rXYZ", Xyz(redX, 0.2225, 0.0139)), ("gXYZ", Xyz(0.3851, 0.7169, 0.0971)), ("bXYZ", Xyz(0.1431, 0.0606, 0.7139)),
            .. new[] { "rTRC", "gTRC", "bTRC" }.Select(name => (name, (byte[])[.. "para"u8, 0, 0, 0, 0, 0, (byte)(2 + curveKind), 0, 0,
                .. Fixed(2.4), .. Fixed(1 / 1.055), .. Fixed(0.055 / 1.055), .. Fixed(1 / 12.92), .. Fixed(0.04045)])),
        ];
        var header = new byte[128];
        "RGB XYZ "u8.CopyTo(header.AsSpan(16));
        "acsp"u8.CopyTo(header.AsSpan(36));
        var offset = 132 + 12 * tags.Length;
        List<byte> table = [], data = [];
        foreach (var (name, bytes) in tags)
        {
            table.AddRange([.. name.Select(c => (byte)c), .. UInt32(offset + data.Count), .. UInt32(bytes.Length)]);
            data.AddRange(bytes);
        }

        return [.. header, .. UInt32(tags.Length), .. table, .. data];
    }

    private static byte[] Xyz(double x, double y, double z) => [.. "XYZ "u8, 0, 0, 0, 0, .. Fixed(x), .. Fixed(y), .. Fixed(z)];

    private static byte[] Fixed(double value) => UInt32((int)Math.Round(value * 65536));

    private static byte[] UInt32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static int Find(byte[] file, byte marker) => file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, marker]);
}
