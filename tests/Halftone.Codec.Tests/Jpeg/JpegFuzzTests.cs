using System.Diagnostics;
using System.Globalization;
using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;
using NetVips;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>
/// Mutated JPEGs, with an unreadable page behind the source: each call must end with a result, and what it calls done must
/// decode without a complaint. Every eighth is asked for at a smaller size too: what is broken is then refused as well. HALFTONE_FUZZ_SECONDS sets how long it runs (3 by default),
/// HALFTONE_FUZZ_SEED where it starts; a failure names the seed of its file.
/// </summary>
public sealed class JpegFuzzTests(ITestOutputHelper output)
{
    private const long MaxPixels = 400_000;

    [Fact]
    public void Mutated_files_give_a_result_and_what_is_done_decodes()
    {
        var seconds = Number("HALFTONE_FUZZ_SECONDS", 3);
        var seed = Number("HALFTONE_FUZZ_SEED", 1);
        var seeds = Seeds();
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var watch = Stopwatch.StartNew();
        for (var longest = TimeSpan.Zero; watch.Elapsed.TotalSeconds < seconds; seed++)
        {
            var file = new JpegMutator(seeds, seed).Next();
            var before = watch.Elapsed;
            var name = Check(file, seed, 1 + seed % 100);
            longest = watch.Elapsed - before > longest ? watch.Elapsed - before : longest;
            Assert.True(longest < TimeSpan.FromSeconds(20), $"seed {seed} took {longest}");
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }
        output.WriteLine($"{counts.Values.Sum()} files, next seed {seed}");
        foreach (var (name, count) in counts)
        {
            output.WriteLine($"{count,8} {name}");
        }
        Assert.True(counts.GetValueOrDefault("Done") > 0);
    }

    /// <summary>Found by the test above after 620,000 files: a frame whose MCU would have twelve blocks, where the standard allows ten (B.2.3).</summary>
    [Fact]
    public void An_mcu_of_more_than_ten_blocks_is_left_to_libvips_which_refuses_it()
    {
        const string File =
            "/9j/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQJFBT/2wBDAAMCAgMCAgMDAwMEAwME"
            + "BQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQU"
            + "FBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wQARCAAlAC0DAUIAAiEBAyEB/8QAHwAAAAAMAAAAAAAAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAAAA"
            + "AAAAogAAAAAAAAAAAPABAgMEBQYHCAkKERITFBUWFxgZGiEiIyQlJicoKSoxMjM0NTY3ODk6QUJDREVGR0hJSlFSU1RVVldYWVphYmNkZWZnaGlqcXJzdHV2"
            + "d3h5eoGCg4SFhoeIiYqRkpOUlZaXmJmaoaKjpKWmp6ipqrGys7S1tre4ubrBwsPExcbHyMnK0dLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/90ABAAC"
            + "/9oADAMBAAIAAwAAPwB14AaBaAwOgKoJgNNYDAKBGYAKgFUGSQBdAFuCqDJIAugCCDtgcGoIwSpECPUAiPCIAJA0BcBUSAHOEDQBbgqgySALoAtAQgyRdIUA"
            + "OCCT9AAEEn6ANMBwJRaAK8FUFgYQEAGFBXBUBOBwYDIJQSAVIgcBQBaArgzgPA4ggUDgKkQKALQFUGSQBdAFuCqDJIAugCKGoIgQhkCAiA0CAaGTQBAIBACH"
            + "sGcDaBdBogcBgHAugnA8EoFAhADcDgKBwYSAZAoFAFuCqDJIAugC0BCDJF0hQAsQSfoAAgk/QBDA4EotAHvgqgsDCAgB/9BjgVQZBAFgAtwVQZBAFgAtwVQZ"
            + "BAFgAtgVQZBAFgASCUEoAwgMIFggAC3BVBkEAWAC1BCDIF0gABYgg+AACCD4AK0CglFoA/AFUFgYQEAGABVBkkAXQBbgqgySALoAtwVQZJAF0AW4KoMkgC6A"
            + "GgSglAIagYQLBAAFsCqDJIAugC1BCDJF0hQAsQSfoAAgk/QBXAcCUWgD8AVQWBhAQA//0WyBVBSBGLABbgqgpAjFgAtgVQUgRiwAW4KoKQIxYAMmCUDwKAQ+"
            + "gwgSgcLABbgqgpAjFgAtAQgpAjDUAOB5AjAADyBGAK0DgPAoZAH4AqglA4OQEAP/2Q==";
        Assert.IsType<JpegTranscodeResult.NotTaken>(JpegTranscoder.Transcode(Convert.FromBase64String(File), 50, MaxPixels));
        Assert.Equal(CodecError.CorruptImage, Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(Convert.FromBase64String(File), new CodecRequest())).Error);
    }

    private static string Check(byte[] file, int seed, int q)
    {
        JpegTranscodeResult result;
        using var guarded = new GuardedCopy(file);
        try
        {
            result = JpegTranscoder.Transcode(guarded.Bytes, q, MaxPixels);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"seed {seed}, {Convert.ToBase64String(file)}", exception);
        }
        if (seed % 8 == 0)
        {
            CheckSmaller(file, seed, q, isCorrupt: result is JpegTranscodeResult.Corrupt);
        }
        if (result is not JpegTranscodeResult.Done done)
        {
            return result is JpegTranscodeResult.NotTaken not ? $"NotTaken {not.Reason}" : result.GetType().Name;
        }
        try
        {
            Assert.True(done.Body.Length <= file.Length + JpegWriter.OrientationSegment(1).Length, $"seed {seed}: {file.Length} bytes became {done.Body.Length}");
            StrictDecoder.Decode(done.Body);
        }
        catch (VipsException exception)
        {
            throw new InvalidOperationException($"seed {seed} at q {q}, {Convert.ToBase64String(file)}", exception);
        }
        return "Done";
    }

    private static void CheckSmaller(byte[] file, int seed, int q, bool isCorrupt)
    {
        var request = new CodecRequest { Q = q, MaxPixels = MaxPixels, MaxWidth = 1 + seed / 8 % 40, Format = seed % 3 == 0 ? ImageFormat.Png : null };
        try
        {
            if (ImageCodec.Compress(file, request) is CodecResult.Compressed output)
            {
                // Where it fits and becomes a PNG, libjpeg's word alone counts, as without a size.
                Assert.True(!isCorrupt || (request.Format is not null && Fits(file, request)), $"seed {seed}: broken, but not at {request.MaxWidth} pixels");
                Assert.InRange(output.WidthPixels, 1, request.MaxWidth.Value);
                Assert.Equal((output.WidthPixels, output.HeightPixels), (Picture.Decode(output.Body).Width, Picture.Decode(output.Body).Height));
            }
        }
        catch (Exception exception) when (exception is VipsException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidOperationException($"seed {seed} at {request.MaxWidth} pixels, {Convert.ToBase64String(file)}", exception);
        }
    }

    private static bool Fits(byte[] file, CodecRequest request) =>
        JpegHeader.Read(file, MaxPixels, out _) is { } header && request.Box.Holds(header.ShownWidthPixels, header.ShownHeightPixels);

    private static List<byte[]> Seeds()
    {
        List<byte[]> seeds = [];
        foreach (var options in (string[])["Q=90,subsample_mode=on", "Q=75,subsample_mode=off", "Q=95,interlace=true", "Q=80,interlace=true,subsample_mode=off", "Q=40"])
        {
            seeds.Add(Picture.Draw(70, 50).Save("jpegsave_buffer", options + ",keep=none"));
            seeds.Add(Picture.Noise(40, 33, options.Length % 2 == 0 ? 3 : 1).Save("jpegsave_buffer", options + ",keep=none"));
        }
        foreach (var sampling in (int[][])[[0x22, 0x11], [0x21, 0x11], [0x12, 0x11], [0x41, 0x11], [0x22, 0x21], [0x11, 0x11]])
        {
            var luma = (sampling[0] >> 4, sampling[0] & 15);
            var chroma = (sampling[1] >> 4, sampling[1] & 15);
            var plain = new TestJpeg { Sampling = [luma, chroma, chroma], RestartInterval = sampling[0] % 3 * 2, Extra = JpegWriter.OrientationSegment(6) };
            seeds.Add(plain.Write(Picture.Draw(45, 37)));
            seeds.Add((plain with { IsInterleaved = false }).Write(Picture.Noise(30, 40)));
            seeds.Add((plain with { IsProgressive = true }).Write(Picture.Draw(37, 45)));
        }
        return seeds;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
