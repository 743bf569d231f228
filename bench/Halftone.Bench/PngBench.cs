using Halftone.Codec;
using Halftone.Codec.Vips;

namespace Halftone.Bench;

/// <summary>
/// Compresses every PNG of a folder as the service does, and beside it with libvips's own palette as sharp asks for it at the same quality
/// (effort 7, compression 6), turn by turn in the same run. A manifest.csv in the folder or above it names the kinds of its files.
/// </summary>
internal static class PngBench
{
    public static int Run(string folder, string[] options)
    {
        int rounds = Report.Number(options, "--rounds", 3), q = Report.Number(options, "--q", 50);
        var files = Directory.GetFiles(folder, "*.png").Order(StringComparer.Ordinal).Select(path => new Source(Path.GetFileName(path), File.ReadAllBytes(path))).ToArray();
        if (files.Length == 0)
        {
            Console.Error.WriteLine($"no *.png in {folder}");
            return 1;
        }
        var request = new CodecRequest { Q = q };
        foreach (var file in files)
        {
            Ours(file.Body, request); // until the inner loops are compiled with what the first calls taught
        }
        var rows = files.Select(file => Compare(file, request, rounds)).ToArray();
        if (Report.Option(options, "--save") is { } save)
        {
            Directory.CreateDirectory(save);
            foreach (var row in rows)
            {
                File.WriteAllBytes(Path.Combine(save, row.Name), row.Output.Span);
            }
        }
        Print(rows, Kinds(folder), q, rounds);
        return 0;
    }

    private static Row Compare(Source file, CodecRequest request, int rounds)
    {
        ReadOnlyMemory<byte> ours = default, theirs = default;
        var oursCpu = new double[rounds];
        var theirsCpu = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            oursCpu[round] = Report.CpuMilliseconds(() => ours = Ours(file.Body, request));
            theirsCpu[round] = Report.CpuMilliseconds(() => theirs = Libvips(file.Body, request));
        }
        var before = Luma.Of(file.Body);
        return new Row(file.Name, ours, Report.Median(oursCpu), ours.Length, before.Psnr(Luma.Of(ours)), Report.Median(theirsCpu), theirs.Length, before.Psnr(Luma.Of(theirs)));
    }

    private static ReadOnlyMemory<byte> Ours(byte[] body, CodecRequest request) => ImageCodec.Compress(body, request) switch
    {
        CodecResult.Compressed result => result.Body,
        CodecResult.Refused refused => throw new InvalidOperationException(refused.Detail),
        _ => default,
    };

    private static byte[] Libvips(ReadOnlyMemory<byte> body, CodecRequest request)
    {
        using var pinned = body.Pin();
        using var pipeline = new VipsPipeline(VipsTranscoder.Open(pinned, body.Length, ImageFormat.Png, ImageFormat.Png));
        bool keepsProfile = ColourPolicy.Apply(pipeline, ImageFormat.Png);
        return VipsSaver.Save(pipeline.Image, ImageFormat.Png, request, keepsProfile);
    }

    private static void Print(Row[] rows, Dictionary<string, string> kinds, int q, int rounds)
    {
        Report.Head($"PNG to palette PNG at quality {q}, beside libvips's own palette (libimagequant, effort 7: what sharp uses)", $"png FOLDER --q {q} --rounds {rounds}", ImageCodec.Initialize());
        Console.WriteLine("| kind | files | CPU-ms | libvips | ratio | bytes / libvips | PSNR − libvips, median (least) |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var kind in rows.GroupBy(row => kinds.GetValueOrDefault(row.Name, "all")).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Print(kind.Key, [.. kind]);
        }
        Print("total", rows);
    }

    private static void Print(string kind, Row[] rows)
    {
        double ours = rows.Average(row => row.OursCpu), theirs = rows.Average(row => row.TheirsCpu);
        double bytes = (double)rows.Sum(row => row.OursBytes) / rows.Sum(row => row.TheirsBytes);
        double[] psnr = [.. rows.Select(row => row.OursPsnr - row.TheirsPsnr)];
        Report.Line($"| {kind} | {rows.Length} | {ours:F1} | {theirs:F1} | {ours / theirs:F3} | {bytes:F3} | {Report.Median(psnr):+0.00;-0.00} ({psnr.Min():+0.00;-0.00}) |");
    }

    /// <summary>Kinds by file name, where a manifest with the columns name and kind is found.</summary>
    private static Dictionary<string, string> Kinds(string folder)
    {
        var manifest = new[] { folder, Path.Combine(folder, "..") }.Select(place => Path.Combine(place, "manifest.csv")).FirstOrDefault(File.Exists);
        if (manifest is null)
        {
            return [];
        }
        var lines = File.ReadAllLines(manifest).Select(line => line.Split(',')).ToArray();
        int name = Array.IndexOf(lines[0], "name"), kind = Array.IndexOf(lines[0], "kind");
        return lines.Skip(1).Where(cells => cells.Length == lines[0].Length).ToDictionary(cells => cells[name], cells => cells[kind]);
    }

    private sealed record Source(string Name, byte[] Body);

    private sealed record Row(string Name, ReadOnlyMemory<byte> Output, double OursCpu, int OursBytes, double OursPsnr, double TheirsCpu, int TheirsBytes, double TheirsPsnr);
}
