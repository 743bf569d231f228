using Halftone.Codec;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Bench;

/// <summary>
/// CPU against bytes and fidelity of the settings that libvips has for the formats it encodes for us: each source is decoded and encoded
/// with every setting in turn. WebP and GIF are measured on the folder's own, AVIF on its JPEGs.
/// </summary>
internal static class VipsSettingsBench
{
    private static readonly Candidate[] Candidates =
    [
        .. Enumerable.Range(0, 7).Select(effort => new Candidate("WebP", "*.webp", ImageFormat.Webp, "webpsave_buffer", $"effort={effort},Q=50")),
        new("WebP", "*.webp", ImageFormat.Webp, "webpsave_buffer", "effort=4,Q=50,smart_subsample=true"),
        .. new[] { 1, 4, 7, 10 }.Select(effort => new Candidate("GIF", "*.gif", ImageFormat.Gif, "gifsave_buffer", $"effort={effort}")),
        .. new[] { "dither=0", "dither=0.5", "interframe_maxerror=8", "reuse=true" }.Select(option => new Candidate("GIF", "*.gif", ImageFormat.Gif, "gifsave_buffer", $"effort=7,{option}")),
        .. Enumerable.Range(0, 5).Select(effort => new Candidate("AVIF", "*.jp*g", ImageFormat.Avif, "heifsave_buffer", $"compression=av1,bitdepth=8,effort={effort},Q=50")),
    ];

    public static int Run(string folder, string[] options)
    {
        int rounds = Report.Number(options, "--rounds", 3), every = Report.Number(options, "--every", 1), everyAvif = Report.Number(options, "--every-avif", 40);
        var version = ImageCodec.Initialize();
        Report.Head("What libvips's settings cost and give at quality 50", $"vips-settings FOLDER --rounds {rounds} --every {every} --every-avif {everyAvif}", version);
        Console.WriteLine("| format | setting | files | CPU-ms | bytes / first row | out / in | PSNR, median |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var format in Candidates.GroupBy(candidate => (candidate.Format, candidate.Pattern)))
        {
            int step = format.Key.Format == "AVIF" ? everyAvif : every;
            byte[][] sources = [.. Directory.GetFiles(folder, format.Key.Pattern).Order(StringComparer.Ordinal).Where((_, i) => i % step == 0).Select(File.ReadAllBytes)];
            if (sources.Length > 0)
            {
                Measure([.. format], sources, rounds);
            }
        }
        return 0;
    }

    private static void Measure(Candidate[] candidates, byte[][] sources, int rounds)
    {
        var cpu = new double[candidates.Length][];
        var psnr = new double[candidates.Length][];
        var bytes = new long[candidates.Length];
        for (int c = 0; c < candidates.Length; c++)
        {
            (cpu[c], psnr[c]) = (new double[sources.Length], new double[sources.Length]);
        }
        for (int s = 0; s < sources.Length; s++)
        {
            var before = Luma.Of(sources[s]);
            for (int c = 0; c < candidates.Length; c++)
            {
                byte[] output = [];
                cpu[c][s] = Report.Median([.. Enumerable.Range(0, rounds).Select(_ => Report.CpuMilliseconds(() => output = Encode(sources[s], candidates[c])))]);
                bytes[c] += output.Length;
                psnr[c][s] = before.Psnr(Luma.Of(output));
            }
        }
        long before0 = sources.Sum(source => (long)source.Length);
        for (int c = 0; c < candidates.Length; c++)
        {
            Report.Line($"| {candidates[c].Format} | {candidates[c].Options.Replace(",Q=50", "", StringComparison.Ordinal)} | {sources.Length} | {cpu[c].Average():F1} | {(double)bytes[c] / bytes[0]:F3} | {(double)bytes[c] / before0:F3} | {Report.Median(psnr[c]):F2} |");
        }
    }

    private static byte[] Encode(ReadOnlyMemory<byte> source, Candidate candidate)
    {
        var from = SourceSniffer.Sniff(source.Span).Format ?? throw new InvalidOperationException("no image");
        using var pinned = source.Pin();
        using var pipeline = new VipsPipeline(VipsTranscoder.Open(pinned, source.Length, from, candidate.To));
        if (pipeline.Image.Orientation > 1)
        {
            pipeline.Replace(pipeline.Image.CopyMemory()).Apply(image => image.Autorot());
        }
        bool keepsProfile = ColourPolicy.Apply(pipeline, candidate.To);
        var options = candidate.Options + (keepsProfile ? ",keep=icc" : ",keep=none");
        return (byte[])Operation.Call(candidate.Operation, new VOption { { "string_options", options } }, pipeline.Image);
    }

    private sealed record Candidate(string Format, string Pattern, ImageFormat To, string Operation, string Options);
}
