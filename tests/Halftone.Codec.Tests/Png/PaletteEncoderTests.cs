using FsCheck;
using FsCheck.Fluent;
using Halftone.Codec.Png;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Png;

public sealed class PaletteEncoderTests
{
    private static readonly PaletteSettings At50 = PaletteSettings.ForQuality(50);

    [Fact]
    public void Every_size_and_kind_of_pixel_gives_a_whole_image_whose_error_is_bounded()
    {
        var sizes = Gen.Choose(1, 60).ToArbitrary();
        Prop.ForAll(sizes, sizes, Gen.Choose(0, 9).ToArbitrary(), (width, height, kind) =>
        {
            var picture = kind switch
            {
                < 4 => Pictures.Noise(width, height, kind + 1),
                4 => Pictures.Photograph(width, height),
                5 => Pictures.CutOut(width, height),
                6 => Pictures.Graphic(width, height),
                _ => Pictures.FewColours(width, height, kind * kind * 3, width),
            };
            var read = PngWriterTests.ReadStrictly(Encode(picture));
            return (read.Width, read.Height) == (width, height) && WorstError(picture, read) <= (kind < 4 ? 170 : 80); // 256 colours are few for noise of four channels
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>
    /// libvips's own palette (libimagequant, effort 7, the same quality) is the oracle: no more than this share of its bytes, and luma over
    /// black and over white no more than this many decibels below its. (The disc is smooth, where libimagequant spends most.)
    /// </summary>
    [Theory]
    [InlineData("photograph", 0.95, 0.5)]
    [InlineData("cut-out", 0.95, 2.5)]
    [InlineData("graphic", 1.0, 0.5)]
    public void Beside_libvips_it_is_as_true_and_smaller(string kind, double mostBytes, double mostDecibels)
    {
        var picture = kind switch
        {
            "photograph" => Pictures.Photograph(400, 300),
            "cut-out" => Pictures.CutOut(400, 400),
            _ => Pictures.Graphic(300, 300),
        };
        var ours = Encode(picture);
        var oracle = picture.Save("pngsave_buffer", "palette=true,Q=50,effort=7");

        Assert.True(ours.Length <= oracle.Length * mostBytes, $"{ours.Length} bytes, libvips {oracle.Length}");
        var oursRead = PngWriterTests.ReadStrictly(ours);
        var oracleRead = PngWriterTests.ReadStrictly(oracle);
        foreach (int background in (int[])[0, 255])
        {
            double psnr = LumaPsnr(picture.On(background), oursRead.On(background)), theirs = LumaPsnr(picture.On(background), oracleRead.On(background));
            Assert.True(psnr >= theirs - mostDecibels, $"over {background}: {psnr:F2} dB, libvips {theirs:F2} dB, with {(double)ours.Length / oracle.Length:F3} of its bytes");
        }
    }

    [Fact]
    public void Few_colours_are_kept_without_loss()
    {
        foreach (int colours in (int[])[1, 2, 3, 4, 5, 16, 17, 200, 256])
        {
            var picture = Pictures.FewColours(50, 41, colours, colours);
            var read = PngWriterTests.ReadStrictly(Encode(picture));
            Assert.Equal(0, WorstError(picture, read));
        }
    }

    [Fact]
    public void A_noisy_palette_that_does_not_shrink_without_loss_is_reduced()
    {
        var picture = Pictures.Draw(200, 200, 1, (x, y, pixel) => pixel[0] = Pictures.Photograph(1, 1, x * 200 + y).Samples[1]);
        var encoder = new PaletteEncoder();
        var lossless = encoder.Encode(picture.Grid(), At50, default, long.MaxValue);
        var reduced = encoder.Encode(picture.Grid(), At50, default, lossless.Length);

        Assert.Equal(0, WorstError(picture, PngWriterTests.ReadStrictly(lossless)));
        Assert.True(reduced.Length < lossless.Length * 0.9, $"{reduced.Length} of {lossless.Length}");
    }

    [Fact]
    public void Grey_stays_grey()
    {
        foreach (int bands in (int[])[1, 2])
        {
            var grey = Pictures.Photograph(200, 150);
            var picture = Pictures.Draw(200, 150, bands, (x, y, pixel) =>
            {
                pixel[0] = grey[x, y][1];
                pixel[^1] = bands == 2 ? (byte)(x + 40) : pixel[0];
            });
            var read = PngWriterTests.ReadStrictly(new PaletteEncoder().Encode(picture.Grid(), At50, default, 0)).On(255);
            for (int i = 0; i < read.Samples.Length; i += 3)
            {
                Assert.Equal((read.Samples[i], read.Samples[i]), (read.Samples[i + 1], read.Samples[i + 2]));
            }
        }
    }

    [Fact]
    public void Fully_transparent_and_opaque_pixels_stay_so()
    {
        var picture = Pictures.CutOut(300, 200);
        var read = PngWriterTests.ReadStrictly(Encode(picture));
        int hidden = 0;
        for (int y = 0; y < 200; y++)
        {
            for (int x = 0; x < 300; x++)
            {
                int alpha = picture[x, y][3];
                hidden += alpha == 0 ? 1 : 0;
                if (alpha is 0 or 255)
                {
                    Assert.Equal(alpha, read[x, y][3]);
                }
            }
        }
        Assert.True(hidden > 1000);
    }

    [Fact]
    public void An_image_of_invisible_pixels_is_one_colour()
    {
        var picture = Pictures.Noise(70, 40, 4);
        for (int i = 3; i < picture.Samples.Length; i += 4)
        {
            picture.Samples[i] = 0;
        }
        var file = Encode(picture);

        Assert.True(file.Length < 150, $"{file.Length} bytes");
        Assert.All(PngWriterTests.ReadStrictly(file).On(77).Samples, sample => Assert.Equal(77, sample));
    }

    [Fact]
    public void Flat_grounds_are_exact_beside_a_busy_object()
    {
        var picture = Pictures.Draw(300, 300, 3, (x, y, pixel) =>
        {
            if (x is > 100 and < 200 && y is > 100 and < 200)
            {
                Pictures.Photograph(1, 1, x * 300 + y).Samples.CopyTo(pixel);
            }
            else
            {
                pixel[0] = 247;
                pixel[1] = 244;
                pixel[2] = 239;
            }
        });
        var read = PngWriterTests.ReadStrictly(Encode(picture));
        for (int x = 0; x < 300; x++)
        {
            Assert.Equal(picture[x, 50].ToArray(), read[x, 50].ToArray());
            Assert.Equal(picture[20, x].ToArray(), read[20, x].ToArray());
        }
    }

    [Fact]
    public void One_encoder_gives_for_an_image_the_same_bytes_whatever_came_before()
    {
        var encoder = new PaletteEncoder();
        Picture[] pictures = [Pictures.CutOut(90, 80), Pictures.Photograph(200, 100), Pictures.Noise(33, 300, 4), Pictures.Graphic(64, 64), Pictures.FewColours(9, 9, 5, 1)];
        var alone = pictures.Select(picture => new PaletteEncoder().Encode(picture.Grid(), At50, default, 0).ToArray()).ToArray();
        for (int i = 0; i < 3 * pictures.Length; i++)
        {
            int n = i * 7 % pictures.Length;
            Assert.Equal(alone[n], encoder.Encode(pictures[n].Grid(), At50, default, 0).ToArray());
        }
    }

    [Fact]
    public void A_profile_that_is_not_of_rgb_is_refused()
    {
        var profile = new byte[200];
        "GRAY"u8.CopyTo(profile.AsSpan(16));
        Assert.Throws<ArgumentException>(() => new PaletteEncoder().Encode(Pictures.Graphic(4, 4).Grid(), At50, profile, 0));
    }

    [Fact]
    public void Pixels_that_do_not_fit_their_size_are_a_bug()
    {
        Assert.Throws<ArgumentException>(() => new PixelGrid(new byte[11], 2, 2, 3).Width);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PixelGrid([], 0, 1, 3).Width);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PixelGrid(new byte[5], 1, 1, 5).Width);
    }

    private static ReadOnlyMemory<byte> Encode(Picture picture) => new PaletteEncoder().Encode(picture.Grid(), At50, default, long.MaxValue);

    /// <summary>Largest difference of a channel, over black or over white.</summary>
    private static int WorstError(Picture picture, Picture read) =>
        new[] { 0, 255 }.Max(background => picture.On(background).Samples.Zip(read.On(background).Samples, (left, right) => Math.Abs(left - right)).Max());

    private static double LumaPsnr(Picture left, Picture right)
    {
        double sum = 0;
        for (int i = 0; i < left.Samples.Length; i += 3)
        {
            double difference = Luma(left.Samples.AsSpan(i)) - Luma(right.Samples.AsSpan(i));
            sum += difference * difference;
        }
        return 10 * Math.Log10(255 * 255 / Math.Max(1e-9, sum / (left.Samples.Length / 3)));

        static double Luma(ReadOnlySpan<byte> pixel) => 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    }
}
