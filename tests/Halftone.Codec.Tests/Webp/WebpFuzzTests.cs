using System.Diagnostics;
using System.Globalization;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Tests.Jpeg;
using Halftone.Codec.Vips;
using Halftone.Codec.Webp;

namespace Halftone.Codec.Tests.Webp;

/// <summary>
/// Mutated WebP files, with an unreadable page behind the source: each call must end with a result, and what comes out libvips decodes.
/// HALFTONE_FUZZ_SECONDS sets how long it runs (2 by default), HALFTONE_FUZZ_SEED where it starts; a failure names the seed of its file.
/// </summary>
public sealed class WebpFuzzTests(ITestOutputHelper output)
{
    private const long MaxPixels = 400_000;

    [Fact]
    public void Mutated_files_give_a_result_and_what_is_done_decodes()
    {
        int seconds = Number("HALFTONE_FUZZ_SECONDS", 2), seed = Number("HALFTONE_FUZZ_SEED", 1);
        var seeds = Seeds();
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < seconds; seed++)
        {
            var name = Check(Mutated(seeds, seed), seed, 1 + seed % 100);
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        output.WriteLine($"{counts.Values.Sum()} files, next seed {seed}");
        foreach (var (name, count) in counts)
        {
            output.WriteLine($"{count,8} {name}");
        }

        Assert.True(counts.GetValueOrDefault("Done") > 0);
    }

    private static string Check(byte[] file, int seed, int q)
    {
        using var guarded = new GuardedCopy(file);
        var watch = Stopwatch.StartNew();
        try
        {
            var result = WebpTranscoder.Transcode(guarded.Bytes, q, MaxPixels);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"seed {seed} took {watch.Elapsed}");
            if (result is not WebpTranscodeResult.Done done)
            {
                return $"NotTaken {((WebpTranscodeResult.NotTaken)result).Reason}";
            }

            // What comes out must be whole. Of 62,535 mutated sources libwebp misses data in 2 that we find whole: counted.
            Assert.Equal((done.WidthPixels, done.HeightPixels), Size(done.Body.ToArray()));
            try
            {
                Assert.Equal((done.WidthPixels, done.HeightPixels), Size(file));
                return "Done";
            }
            catch (NetVips.VipsException)
            {
                return "Done, but libwebp refuses the source";
            }
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"seed {seed} at q {q}, {Convert.ToBase64String(file)}", exception);
        }
    }

    /// <summary>Decodes every pixel. A broken profile that is small is passed on, by libvips's way too, and not looked at here.</summary>
    private static (int, int) Size(byte[] file)
    {
        using var opened = new OpenedFile(file);
        using var pixels = opened.Image.Pixels();
        Assert.False(pixels.Bytes.IsEmpty);
        return (opened.Image.Width, opened.Image.Height);
    }

    private static byte[] Mutated(List<byte[]> seeds, int seed)
    {
        var random = new Random(seed);
        var file = seeds[random.Next(seeds.Count)].ToArray();
        for (var times = 1 + random.Next(3); times > 0 && file.Length > 30; times--)
        {
            // The header, the frame's beginning and all of it are each as likely.
            var within = random.Next(3) switch { 0 => 30, 1 => Math.Min(file.Length, 100), _ => file.Length };
            var at = random.Next(within);
            switch (random.Next(7))
            {
                case 0 or 1:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    random.NextBytes(file.AsSpan(at, Math.Min(random.Next(1, 20), file.Length - at)));
                    break;
                case 3:
                    file.AsSpan(at, Math.Min(random.Next(1, 40), file.Length - at)).Fill(random.Next(2) == 0 ? (byte)0 : (byte)0xFF);
                    break;
                case 4:
                    file = WithSizes(file[..random.Next(20, file.Length)]);
                    break;
                case 5:
                    file = WithSizes([.. file[..at], .. file[Math.Min(file.Length, at + random.Next(1, 60))..]]);
                    break;
                default:
                    var other = seeds[random.Next(seeds.Count)];
                    file = WithSizes([.. file[..at], .. other[random.Next(other.Length)..]]);
                    break;
            }
        }

        return file;
    }

    /// <summary>The file's size as it is now, and the last chunk's, so that not all that is cut ends at the container.</summary>
    private static byte[] WithSizes(byte[] file)
    {
        if (file.Length < 20)
        {
            return file;
        }

        file = file.Length % 2 == 0 ? file : [.. file, 0];
        BitConverter.TryWriteBytes(file.AsSpan(4), file.Length - 8);
        var frame = file.AsSpan().IndexOf("VP8 "u8);
        if (frame >= 12 && frame + 8 <= file.Length)
        {
            BitConverter.TryWriteBytes(file.AsSpan(frame + 4), file.Length - frame - 8);
        }

        return file;
    }

    private static List<byte[]> Seeds()
    {
        List<byte[]> seeds = [];
        foreach (var options in (string[])["Q=70", "Q=20,effort=6", "Q=95,effort=0", "Q=60,preset=drawing", "Q=50,lossless=true"])
        {
            seeds.Add(WebpPictures.Busy(70, 50).Save("webpsave_buffer", options + ",keep=none"));
            seeds.Add(WebpPictures.Busy(49, 37, bands: 4).Save("webpsave_buffer", options + ",keep=none"));
        }

        using var profiled = WebpPictures.Busy(40, 40).Image().With("icc-profile-data", MatrixProfile.AdobeRgb()).With("orientation", 1);
        seeds.Add(Picture.Save(profiled, "webpsave_buffer", "Q=60"));
        seeds.Add(Picture.Noise(33, 33).Save("webpsave_buffer", "Q=80,keep=none"));
        return seeds;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : otherwise;
}
