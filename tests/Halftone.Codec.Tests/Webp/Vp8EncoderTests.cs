using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Webp;

namespace Halftone.Codec.Tests.Webp;

/// <summary>libwebp, through libvips, is the oracle: it sees in every frame what the encoder rebuilt.</summary>
public sealed class Vp8EncoderTests
{
    private const string ExpectedVariable = "HALFTONE_TEST_WEBP_FRAMES";

    public static TheoryData<int, int> Sizes => new(
        from width in (int[])[1, 2, 16, 17, 33, 130] from height in (int[])[1, 15, 16, 31, 97] select (width, height));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_size_decodes_to_what_the_encoder_rebuilt(int width, int height) => Check(WebpPictures.Busy(width, height), 50);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(30)]
    [InlineData(50)]
    [InlineData(75)]
    [InlineData(76)]
    [InlineData(92)]
    [InlineData(100)]
    public void Every_quality_decodes_to_what_the_encoder_rebuilt(int q)
    {
        Check(WebpPictures.Busy(203, 131), q);
        Check(Picture.Noise(70, 50), q);
        Check(Picture.Draw(64, 64), q);
    }

    [Fact]
    public void Black_beside_white_keeps_the_largest_coefficients()
    {
        var picture = Picture.Draw(96, 96);
        for (var i = 0; i < picture.Samples.Length; i++)
        {
            picture.Samples[i] = (i / 3 % 96 / 4 + i / 3 / 96 / 16) % 2 == 0 ? (byte)0 : (byte)255;
        }

        Check(picture, 100);
    }

    /// <summary>No decision costs more than a bit on average, so there are at least as many as bits.</summary>
    [Fact]
    public void A_picture_of_more_decisions_than_are_held_is_coded_all_the_same()
    {
        var frames = Encoded(Picture.Noise(1100, 1000), 100);

        Assert.InRange(frames.Filtered.Length * 8L, DecisionList.MaxDecisions + 1, int.MaxValue);
        Decode(frames.Filtered, new Planes());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_higher_quality_takes_more_bytes_and_shows_more(int seed)
    {
        var picture = WebpPictures.Busy(200, 160, seed: seed);
        int bytes = 0;
        double psnr = 0;
        for (var q = 1; q <= 100; q += 9)
        {
            var frame = Encoded(picture, q).Filtered;
            var shown = Picture.Decode(WebpFile.Write(frame, default, default, picture.Width, picture.Height)).Psnr(picture);

            Assert.True(frame.Length > bytes && shown > psnr - 0.1,
                $"{frame.Length} bytes after {bytes} and {shown} dB after {psnr} at {q}");
            (bytes, psnr) = (frame.Length, shown);
        }
    }

    /// <summary>
    /// Where white comes out one step darker at some quality, it is seen beside a white page, and costs bits in every macroblock.
    /// </summary>
    [Fact]
    public void A_white_ground_stays_white()
    {
        var picture = Picture.Draw(160, 160);
        for (var i = 0; i < picture.Samples.Length; i++)
        {
            int x = i / 3 % 160, y = i / 3 / 160;
            picture.Samples[i] = (x - 80) * (x - 80) + (y - 80) * (y - 80) < 50 * 50 ? picture.Samples[i] : (byte)255;
        }

        for (var q = 20; q <= 100; q += 8)
        {
            var shown = Picture.Decode(WebpFile.Write(Encoded(picture, q).Filtered, default, default, 160, 160));

            Assert.Equal(254.5, shown[3, 3].ToArray().Average(band => (double)band), 1.0);
        }
    }

    [Fact]
    public void Modes_that_do_not_fit_into_the_first_partition_are_refused()
    {
        var modes = new MacroblockModes[60_000];
        var random = new Random(1);
        for (var i = 0; i < modes.Length; i++)
        {
            modes[i].IsSplit = true;
            for (var b = 0; b < 16; b++)
            {
                modes[i].Sub[b] = (byte)random.Next(SubMode.Count);
            }
        }

        var plan = new EncoderPlan();
        plan.Flat(50);
        var stream = new CoefficientStream(new CoefficientModel());
        stream.Start();
        stream.Finish();

        Assert.Null(new FrameWriter().Write(16 * 300, 16 * 200, plan, modes, stream));
        Assert.NotNull(new FrameWriter().Write(16 * 300, 16 * 10, plan, modes.AsSpan(0, 3_000), stream));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(10_000, true)]
    [InlineData(100_000, false)]
    [InlineData(300_000, false)]
    public void The_room_for_modes_is_shared_out_over_the_whole_picture(int macroblocks, bool isEnough)
    {
        const int Cost = 150 * 256;
        var budget = new ModeBudget(macroblocks);
        long spent = 0;
        int split = 0, lastSplit = -1;
        for (var i = 0; i < macroblocks; i++)
        {
            var isSplit = budget.HasRoom && budget.Allows(Cost);
            (split, lastSplit) = isSplit ? (split + 1, i) : (split, lastSplit);
            var cost = isSplit ? Cost : ModeCosts.Luma[BlockMode.Dc];
            spent += cost + 6 * 256;
            budget.Spend(cost);
        }

        Assert.InRange(spent / 256 / 8, 0, FrameWriter.MaxFirstPartition);
        Assert.Equal(isEnough, split == macroblocks);
        Assert.InRange(lastSplit, macroblocks * 9 / 10 - 1, macroblocks);
    }

    /// <summary>This test starts itself with instructions switched off, and compares.</summary>
    [Fact]
    public async Task Frames_are_the_same_without_AVX2_and_without_any_vector_instruction()
    {
        var frames = Convert.ToHexString(SHA256.HashData(
            [.. Encoded(WebpPictures.Busy(83, 70), 50).Filtered, .. Encoded(WebpPictures.Busy(50, 40, seed: 2), 90).Filtered,
                .. Encoded(Picture.Noise(33, 33), 20).Filtered]));
        if (Environment.GetEnvironmentVariable(ExpectedVariable) is { } expected)
        {
            Assert.False(Avx2.IsSupported);
            Assert.Equal(expected, frames);
            return;
        }

        foreach (var setting in (string[])["DOTNET_EnableAVX2", "DOTNET_EnableHWIntrinsic"])
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!,
                ["-method", $"*.{nameof(Frames_are_the_same_without_AVX2_and_without_any_vector_instruction)}"])
            {
                RedirectStandardOutput = true,
            };
            start.Environment[ExpectedVariable] = frames;
            start.Environment[setting] = "0";
            using var self = Process.Start(start)!;
            var output = await self.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await self.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.True(self.ExitCode == 0 && output.Contains("Total: 1,", StringComparison.Ordinal), $"{setting}: {output}");
        }
    }

    private static void Check(Picture picture, int q)
    {
        var frames = Encoded(picture, q);
        using var planes = new Planes();

        // With its loop filter: our decoder, and with it the encoder's header, are libwebp's. Without: what was rebuilt is what is shown.
        Decode(frames.Filtered, planes);
        Assert.Equal(Shown(frames.Filtered, picture), WebpPictures.Shown(planes, picture.Width, picture.Height));
        Assert.Equal(Shown(frames.Plain, picture), frames.Rebuilt);
    }

    private static byte[] Shown(byte[] frame, Picture picture) => Picture.Decode(WebpFile.Write(frame, default, default, picture.Width,
        picture.Height)).Rgb().Samples;

    /// <summary>A picture as two frames, with and without loop filter, and what the encoder rebuilt.</summary>
    private static (byte[] Filtered, byte[] Plain, byte[] Rebuilt) Encoded(Picture picture, int q)
    {
        using var decoder = new Vp8Decoder();
        using Planes planes = new(), rebuilt = new();
        Assert.Null(WebpFile.Read(picture.Save("webpsave_buffer", "Q=95"), out var file));
        Assert.True(decoder.Header.ReadSize(file.Frame) && decoder.Decode(file.Frame, planes));
        var plan = new EncoderPlan();
        plan.AsSource(q, decoder.Header, decoder.Modes);
        rebuilt.Reset(planes.BlocksWide, planes.BlocksHigh);
        var encoder = new Vp8Encoder();
        var filtered = encoder.Encode(planes, picture.Width, picture.Height, plan, decoder.Modes)!;
        for (var s = 0; s < 4; s++)
        {
            plan.FilterLevel[s] = 0;
        }

        var plain = encoder.Encode(planes, picture.Width, picture.Height, plan, decoder.Modes, rebuilt)!;
        return (filtered, plain, WebpPictures.Shown(rebuilt, picture.Width, picture.Height));
    }

    private static void Decode(byte[] frame, Planes planes)
    {
        using var decoder = new Vp8Decoder();
        Assert.True(decoder.Header.ReadSize(frame));
        Assert.True(decoder.Decode(frame, planes));
    }
}
