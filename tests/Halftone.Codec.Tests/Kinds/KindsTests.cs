using Halftone.Codec.Colour;
using Halftone.Codec.Tests.Images;
using NetVips;

namespace Halftone.Codec.Tests.Kinds;

/// <summary>
/// One table: kinds of pictures that hosts really send, what is wanted of each, and how far an independent decoder finds the output from
/// it.
/// </summary>
public sealed class KindsTests(KindsTests.Outputs outputs) : IClassFixture<KindsTests.Outputs>
{
    /// <summary>What a palette, or JPEG at quality 50, may cost in a mean colour, in levels of 255.</summary>
    private const double Usual = 2.5;

    /// <summary>Diffuse white and what is near it give way to what is brighter.</summary>
    private const double ToneMapped = 12;

    /// <param name="Name">The kind.</param>
    /// <param name="Source">Its file.</param>
    /// <param name="Wanted">Format and size, and whether the picture is kept; or the error with its words.</param>
    /// <param name="Shown">What must be seen; null for what the source shows by itself.</param>
    internal sealed record Kind(string Name, byte[] Source, string Wanted, Picture? Shown = null)
    {
        public ImageFormat? Format { get; init; }

        public int? MaxWidth { get; init; }

        public long MaxPixels { get; init; } = 1_000_000;

        /// <summary>The colours that the numbers of the source mean, which the judge's decoder hands out as they are.</summary>
        public byte[]? Numbers { get; init; }

        public double MostShift { get; init; } = Usual;

        /// <summary>The source itself cannot be read by the judge, or shows something else there.</summary>
        public bool IsJudged { get; init; } = true;

        public int Frames { get; init; } = 1;
    }

    internal static IReadOnlyList<Kind> Table() =>
    [
        // Never larger, never worse
        File("p02-png-gradient-imagemagick-text.png", "Png 512x512 kept"),
        File("p03-png-gradient-time.png", "Png 512x512 kept"),
        File("w03-webp-lossless-drawing-xmp.webp", "Webp 120x90 kept"),
        File("w05-webp-trailing-garbage.webp", "Webp 120x90 kept"),
        File("f26-avif-small-free-box.avif", "Avif 240x160 kept"),
        File("j23-jpeg-arith-with-exif-small.jpg", "Jpeg 240x180 kept"),
        File("q04-png-soft-shadow.png", "Png 400x400"),

        // Colours that are said by numbers
        File("f01-avif-pq-bt2020-10bit.avif", "Avif 240x160 kept"),
        File("f02-avif-hlg-10bit.avif", "Avif 240x160 kept"),
        File(
            "f03-avif-display-p3-nclx.avif",
            "Avif 240x160") with { Numbers = MadeProfile.Rgb(NumberedColours.Primaries(12), NumberedColours.SrgbGamma) },
        File(
            "f03-avif-display-p3-nclx.avif",
            "Jpeg 240x160") with
            {
                Numbers = MadeProfile.Rgb(NumberedColours.Primaries(12), NumberedColours.SrgbGamma), Format = ImageFormat.Jpeg,
            },
        new("PNG of PQ", MadeFiles.Png([.. "cICP"u8, 9, 16, 0, 1], MadeFiles.Pq, 9), "Png 96x72 kept") { IsJudged = false },
        new("PNG of PQ to JPEG", MadeFiles.Png([.. "cICP"u8, 9, 16, 0, 1], MadeFiles.Pq, 9), "Jpeg 96x72", MadeFiles.Shown)
        {
            Format = ImageFormat.Jpeg,
            MostShift = ToneMapped,
        },
        new("PNG of PQ made smaller", MadeFiles.Png([.. "cICP"u8, 9, 16, 0, 1], MadeFiles.Pq, 9), "Png 48x36")
        {
            MaxWidth = 48,
            IsJudged = false,
        },
        new("PNG of Display P3 by cICP", MadeFiles.Png([.. "cICP"u8, 12, 13, 0, 1], MadeFiles.Srgb, 12), "Png 96x72", MadeFiles.Shown),
        new("PNG of sRGB by cICP", MadeFiles.Png([.. "cICP"u8, 1, 13, 0, 1], MadeFiles.Srgb), "Png 96x72", MadeFiles.Shown),
        new("PNG in linear light by gAMA", MadeFiles.Png(MadeFiles.Gamma(1), light => light), "Png 96x72", MadeFiles.Shown),
        new("PNG of gamma 1.8", MadeFiles.Png(MadeFiles.Gamma(1 / 1.8), light => Math.Pow(light, 1 / 1.8)), "Png 96x72", MadeFiles.Shown),
        new("PNG of other primaries by cHRM", MadeFiles.Png(MadeFiles.Chromaticities(9), MadeFiles.Srgb, 9), "Webp 96x72", MadeFiles.Shown)
        {
            Format = ImageFormat.Webp,
        },
        new(
            "grey PNG of gamma 1.8",
            MadeFiles.Png(MadeFiles.Gamma(1 / 1.8), light => Math.Pow(light, 1 / 1.8), picture: MadeFiles.ShownGrey),
            "Png 96x72",
            MadeFiles.ShownGrey),
        new(
            "PNG whose profile is linear",
            MadeFiles.Png([], light => light, profile: MadeProfile.Rgb(NumberedColours.Primaries(1), 1)),
            "Png 96x72",
            MadeFiles.Shown),
        new(
            "PNG whose profile is of grey to WebP",
            MadeFiles.Png([], light => Math.Pow(light, 1 / 1.8), picture: MadeFiles.ShownGrey, profile: MadeProfile.Grey(1.8)),
            "Webp 96x72",
            MadeFiles.ShownGrey)
        {
            Format = ImageFormat.Webp,
        },
        new(
            "PNG whose profile is of grey to AVIF",
            MadeFiles.Png([], light => Math.Pow(light, 1 / 1.8), picture: MadeFiles.ShownGrey, profile: MadeProfile.Grey(1.8)),
            "Avif 96x72",
            MadeFiles.ShownGrey)
        {
            Format = ImageFormat.Avif,
        },
        File("c15-jpeg-grey-gamma18-profile.jpg", "Webp 240x180") with { Format = ImageFormat.Webp },
        File("c15-jpeg-grey-gamma18-profile.jpg", "Jpeg 240x180"),

        // Inks
        File("c16-jpeg-cmyk-adobe.jpg", "Jpeg 240x180"),
        File("c30-jpeg-cmyk-swatches-no-profile.jpg", "Png 160x120") with { Format = ImageFormat.Png },
        File("c31-jpeg-cmyk-with-srgb-profile.jpg", "Png 160x120") with { Format = ImageFormat.Png },

        // TIFF
        new(
            "TIFF, smaller copy first",
            TiffFile.Write(MadeFiles.Tiff(Picture.Draw(12, 9)) with { Subfile = 1 }, MadeFiles.Tiff()),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF, picture below a smaller copy",
            TiffFile.Write(MadeFiles.Tiff(Picture.Draw(12, 9)) with { Subfile = 1, Subs = [MadeFiles.Tiff()] }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF with sensor data",
            TiffFile.Write(MadeFiles.Tiff() with { Subs = [MadeFiles.Tiff(MadeFiles.ShownGrey) with { Photometric = 32803 }] }),
            "UnsupportedFormat: a camera raw file (TIFF with sensor data)"),
        new(
            "TIFF of 32-bit numbers",
            TiffFile.Write(new TiffPart(96, 72, 3, 32, [.. MadeFiles.Shown.Samples.SelectMany(value => Enumerable.Repeat(value, 4))])),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF of floating point",
            TiffFile.Write(new TiffPart(96, 72, 1, 32, new byte[96 * 72 * 4]) { SampleFormat = 3 }),
            "UnsupportedFormat: a TIFF of floating-point samples"),
        new(
            "TIFF of half floats",
            TiffFile.Write(new TiffPart(96, 72, 1, 16, new byte[96 * 72 * 2]) { SampleFormat = 3 }),
            "UnsupportedFormat: a TIFF of floating-point samples"),
        new("TIFF of 12 bits", TiffFile.Write(new TiffPart(96, 72, 1, 12, new byte[96 * 72 * 3 / 2])), "UnsupportedFormat: a 12-bit TIFF"),
        new("TIFF by ZSTD", TiffFile.Write(MadeFiles.Tiff() with { Compression = 50000 }), "UnsupportedFormat: a ZSTD TIFF"),
        new(
            "TIFF of Lab",
            TiffFile.Write(new TiffPart(96, 72, 3, 8, MadeFiles.Lab(1, false)) { Photometric = 8 }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF of Lab, 16 bits",
            TiffFile.Write(new TiffPart(96, 72, 3, 16, MadeFiles.Lab(2, false)) { Photometric = 8 }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF of ICC Lab",
            TiffFile.Write(new TiffPart(96, 72, 3, 8, MadeFiles.Lab(1, true)) { Photometric = 9 }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF of ICC Lab, 16 bits",
            TiffFile.Write(new TiffPart(96, 72, 3, 16, MadeFiles.Lab(2, true)) { Photometric = 9 }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF with two masks",
            TiffFile.Write(MadeFiles.Tiff() with { Bands = 5, Samples = MadeFiles.With(MadeFiles.Shown, 0, 0), Extra = [0, 0] }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF with a saved selection",
            TiffFile.Write(MadeFiles.Tiff() with { Bands = 4, Samples = MadeFiles.With(MadeFiles.Shown, 0), Extra = [0] }),
            "Jpeg 96x72",
            MadeFiles.Shown),
        new(
            "TIFF with a mask and alpha",
            TiffFile.Write(MadeFiles.Tiff() with { Bands = 5, Samples = MadeFiles.With(MadeFiles.Shown, 0, 255), Extra = [0, 2] }),
            "Png 96x72",
            MadeFiles.Shown)
        {
            Format = ImageFormat.Png,
        },
        new(
            "TIFF that is all transparent",
            TiffFile.Write(MadeFiles.Tiff() with { Bands = 4, Samples = MadeFiles.With(MadeFiles.Shown, 0), Extra = [2] }),
            "Jpeg 96x72")
        {
            IsJudged = false,
        },
        new(
            "TIFF of two colours",
            TiffFile.Write(new TiffPart(96, 72, 1, 1, [.. Enumerable.Range(0, 12 * 72).Select(i => (byte)(i * 37))])),
            "Png 96x72")
        {
            MostShift = 0,
        },
        new("TIFF of many pages", TiffFile.Write([.. Enumerable.Repeat(MadeFiles.Tiff(), 5)]), "Jpeg 96x72", MadeFiles.Shown)
        {
            MaxPixels = 96 * 72,
        },

        // JPEG
        File("j01-jpeg-no-eoi.jpg", "Jpeg 240x180") with { IsJudged = false },
        File("j01-jpeg-no-eoi.jpg", "Webp 240x180") with { IsJudged = false, Format = ImageFormat.Webp },
        File("j05-jpeg-no-dht-mjpeg.jpg", "Jpeg 240x180"),
        File("j11-jpeg-dnl.jpg", "UnsupportedFormat: a JPEG that tells its height behind its pixels (DNL)"),

        // Animations
        new("animated PNG", MadeFiles.AnimatedPng(), "Png 96x72 kept") { Frames = 3 },
        new("animated PNG to WebP", MadeFiles.AnimatedPng(), "Webp 96x72", MadeFiles.AnimatedPngFrames())
        {
            Format = ImageFormat.Webp,
            Frames = 3,
        },
        new("animated PNG to GIF", MadeFiles.AnimatedPng(), "Gif 96x72", MadeFiles.AnimatedPngFrames())
        {
            Format = ImageFormat.Gif,
            Frames = 3,
        },
        new(
            "animated PNG to JPEG",
            MadeFiles.AnimatedPng(),
            "AnimationUnsupported: an animation of 3 frames cannot become Jpeg: ask for WebP or GIF")
        {
            Format = ImageFormat.Jpeg,
        },
        new(
            "animated PNG made smaller",
            MadeFiles.AnimatedPng(),
            "AnimationUnsupported: an animated Png of 96 x 72 pixels cannot be made smaller: ask for WebP or GIF")
        {
            MaxWidth = 48,
        },
        new("animated PNG of one frame", MadeFiles.AnimatedPng(1), "Png 96x72", MadeFiles.Shown),
        File("f16-avif-sequence2.avif", "Avif 240x160 kept") with { Frames = 2 },
        File(
            "f16-avif-sequence2.avif",
            "AnimationUnsupported: an animated AVIF of 2 frames is passed on as AVIF, and cannot become Webp") with
            {
                Format = ImageFormat.Webp,
            },
        File("a34-webp-anim-exif.webp", "Webp 72x96") with { Frames = 4, MostShift = 4 },

        // Bitmaps and icons
        new("BMP", MadeFiles.Bmp(MadeFiles.Shown), "Jpeg 96x72", MadeFiles.Shown),
        new("BMP from the top", MadeFiles.Bmp(MadeFiles.Shown, isTopDown: true), "Jpeg 96x72", MadeFiles.Shown),
        new("BMP with alpha", MadeFiles.Bmp(Picture.Draw(96, 72, 4)), "Png 96x72", Picture.Draw(96, 72, 4)),
        new("icon", MadeFiles.Icon(), "Png 96x72", MadeFiles.Shown),

        // Drawings
        File("u10-svg-long-comment.svg", "UnsupportedFormat: an SVG drawing"),
        File("u11-svg-doctype-entities.svg", "UnsupportedFormat: an SVG drawing"),
    ];

    private static Kind File(string name, string wanted) =>
        new(name, System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Kinds", "files", name)), wanted);

    public static TheoryData<int, string> Rows() => [.. Table().Select((kind, i) => (i, $"{kind.Name} {kind.Format}"))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_kind_comes_out_right_or_says_truly_why_not(int row, string _)
    {
        var (kind, result) = outputs.All[row];

        Assert.Equal(kind.Wanted, Outputs.Said(result));
        if (result is not CodecResult.Compressed output)
        {
            return;
        }

        Assert.True(
            output.Format != SourceSniffer.Sniff(kind.Source).Format || output.Body.Length <= kind.Source.Length,
            $"{kind.Source.Length} bytes became {output.Body.Length}");
        Assert.SkipUnless(PictureJudge.IsInstalled, "python3-pil and libavif-bin are not installed");
        var verdict = outputs.Verdicts[$"{row}"];
        Assert.Null(verdict.Error);
        Assert.Equal(kind.Frames, verdict.Frames);
        Assert.Equal((output.WidthPixels, output.HeightPixels), (verdict.Size[0], verdict.Size[1]));
        Assert.InRange(verdict.Shift, 0, kind.MostShift);
    }

    [Fact]
    public void Delays_and_loops_of_an_animated_PNG_are_those_of_the_WebP_and_the_GIF()
    {
        Assert.SkipUnless(PictureJudge.IsInstalled, "python3-pil and libavif-bin are not installed");
        foreach (var (row, kind) in Table().Index().Where(entry => entry.Item.Name is "animated PNG to WebP" or "animated PNG to GIF"))
        {
            var verdict = outputs.Verdicts[$"{row}"];
            Assert.Equal(kind.Format == ImageFormat.Webp ? 4 : 3, verdict.Loop); // a GIF counts the repeats after the first time
            if (kind.Format == ImageFormat.Gif)
            {
                Assert.Equal([100, 200, 300], verdict.Durations);
            }
        }
    }

    /// <summary>Every row compressed, and the judge asked once about all.</summary>
    public sealed class Outputs : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("halftone-kinds-").FullName;

        public Outputs()
        {
            All =
            [
                .. Table().Select(kind =>
                    (kind, ImageCodec.Compress(
                        kind.Source, new CodecRequest { Format = kind.Format, MaxWidth = kind.MaxWidth, MaxPixels = kind.MaxPixels }))),
            ];
            if (!PictureJudge.IsInstalled)
            {
                return;
            }

            var tasks = new List<PictureJudge.Task>();
            for (var row = 0; row < All.Count; row++)
            {
                var (kind, result) = All[row];
                if (result is CodecResult.Compressed output)
                {
                    var reference = !kind.IsJudged
                        ? null
                        : Write($"{row}-wanted", kind.Shown is { } shown ? Reference(shown, kind.Frames) : kind.Source);
                    tasks.Add(new(
                        $"{row}",
                        Write($"{row}-output", output.Body.ToArray()),
                        reference,
                        kind.Numbers is { } profile ? Write($"{row}-numbers", profile) : null));
                }
            }

            Verdicts = PictureJudge.Ask(tasks);
        }

        internal IReadOnlyList<(Kind Kind, CodecResult Result)> All { get; }

        internal Dictionary<string, PictureJudge.Verdict> Verdicts { get; } = [];

        internal static string Said(CodecResult result) => result switch
        {
            CodecResult.Refused refused => $"{refused.Error}: {refused.Detail}",
            CodecResult.Compressed output =>
                $"{output.Format} {output.WidthPixels}x{output.HeightPixels}{(output.KeptOriginal ? " kept" : "")}",
            _ => "",
        };

        public void Dispose() => Directory.Delete(folder, recursive: true);

        /// <summary>A lossless file of a picture, or of the frames that stand one below the other.</summary>
        private static byte[] Reference(Picture shown, int frames)
        {
            if (frames == 1)
            {
                return shown.Save("pngsave_buffer");
            }

            using var image = shown.Image();
            using var animation = image.Mutate(copy => copy.Set(GValue.GIntType, "page-height", shown.Height / frames));
            return animation.WebpsaveBuffer(lossless: true);
        }

        private string Write(string name, byte[] bytes)
        {
            var path = Path.Combine(folder, name);
            System.IO.File.WriteAllBytes(path, bytes);
            return path;
        }
    }
}
