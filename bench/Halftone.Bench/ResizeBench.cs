using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Halftone.Codec;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Bench;

/// <summary>Every image of a folder that a box does not hold is shrunk into it, in turns with sharp; the table is Markdown.</summary>
internal static class ResizeBench
{
    private const string Script = "bench/resize/sharp.mjs";
    private static readonly string[] Formats = [".jpg", ".png", ".webp", ".gif"];

    public static int Run(string folder, string modules, string[] options)
    {
        int rounds = Report.Number(options, "--rounds", 3), every = Report.Number(options, "--every", 4);
        var version = ImageCodec.Initialize();
        Report.Head("Smaller sizes, beside sharp", $"resize FOLDER MODULES --rounds {rounds} --every {every}", version);
        Console.WriteLine("| box | format | files | CPU-ms | sharp | ratio (rounds) | bytes / sharp | PSNR − sharp, median (least) |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        var all = Directory.GetFiles(folder).Where(path => Formats.Contains(Path.GetExtension(path))).Order(StringComparer.Ordinal).Where((_, i) => i % every == 0).ToArray();
        foreach (var box in (int[])[1000, 500, 200])
        {
            foreach (var format in Formats)
            {
                string[] paths = [.. all.Where(path => Path.GetExtension(path) == format && !Fits(File.ReadAllBytes(path), box))];
                if (paths.Length > 0)
                {
                    Measure(box, format, paths, modules, rounds);
                }
            }
        }
        return 0;
    }

    private static void Measure(int box, string format, string[] paths, string modules, int rounds)
    {
        var request = new CodecRequest { MaxWidth = box, MaxHeight = box };
        byte[][] sources = [.. paths.Select(File.ReadAllBytes)], ours = new byte[paths.Length][];
        var scratch = Directory.CreateTempSubdirectory("resize").FullName;
        double[] oursMs = new double[rounds], sharpMs = new double[rounds];
        foreach (var source in sources.Take(10))
        {
            Compress(source, request);
        }
        for (var round = 0; round < rounds; round++)
        {
            oursMs[round] = Enumerable.Range(0, sources.Length).Sum(i => Report.CpuMilliseconds(() => ours[i] = Compress(sources[i], request))) / sources.Length;
            sharpMs[round] = Sharp(modules, box, paths, scratch).Average();
        }
        byte[][] theirs = [.. paths.Select(path => File.ReadAllBytes(Path.Combine(scratch, Path.GetFileName(path))))];
        Directory.Delete(scratch, recursive: true);
        double[] gains = [.. Enumerable.Range(0, sources.Length).Select(i => Gain(sources[i], ours[i], theirs[i])).Where(gain => !double.IsNaN(gain)).Order()];
        var ratios = oursMs.Zip(sharpMs, (own, other) => own / other).Order().ToArray();
        Report.Line($"| {box} | {format[1..]} | {paths.Length} | {Report.Median(oursMs):F1} | {Report.Median(sharpMs):F1} | {Report.Median(ratios):F2} ({ratios[0]:F2} to {ratios[^1]:F2}) | {(double)ours.Sum(file => (long)file.Length) / theirs.Sum(file => (long)file.Length):F3} | {Report.Median(gains):+0.00;-0.00} ({(gains.Length > 0 ? gains[0] : double.NaN):+0.00;-0.00}) |");
    }

    private static byte[] Compress(byte[] source, CodecRequest request) =>
        ImageCodec.Compress(source, request) is CodecResult.Compressed output ? output.Body.ToArray() : throw new InvalidOperationException("refused");

    private static bool Fits(ReadOnlyMemory<byte> source, int box)
    {
        using var opened = Open(source, out var pin);
        using (pin)
        {
            return new SizeBox(box, box).Holds(opened.Width, opened.PageHeight);
        }
    }

    private static Image Open(ReadOnlyMemory<byte> source, out System.Buffers.MemoryHandle pinned)
    {
        var format = SourceSniffer.Sniff(source.Span).Format ?? throw new InvalidOperationException("no image");
        pinned = source.Pin();
        return VipsTranscoder.Open(pinned, source.Length, format, format);
    }

    /// <summary>
    /// What the output is nearer to the source, which was decoded at its full size and shrunk by a Lanczos kernel; not a number for an image that is turned,
    /// that has a profile, or of which the two made sizes that differ.
    /// </summary>
    private static double Gain(ReadOnlyMemory<byte> source, byte[] ours, byte[] theirs)
    {
        Luma own = Luma.Of(ours), other = Luma.Of(theirs);
        using var opened = Open(source, out var pin);
        using (pin)
        {
            if (opened.Orientation != 1 || opened.ColourProfile.Length > 0 || opened.Height != opened.PageHeight || (own.Width, own.Height) != (other.Width, other.Height))
            {
                return double.NaN;
            }
            using var pipeline = new VipsPipeline(opened.Copy());
            VipsShrinker.Apply(pipeline, own.Width, own.Height);
            var best = Luma.Of(pipeline.Image.PngsaveBuffer(compression: 1));
            return own.Psnr(best) - other.Psnr(best);
        }
    }

    private static double[] Sharp(string modules, int box, string[] paths, string scratch)
    {
        using var node = Process.Start(new ProcessStartInfo("node", [Script, modules, box.ToString(CultureInfo.InvariantCulture), scratch]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException("node does not start");
        node.StandardInput.Write(string.Join('\n', paths));
        node.StandardInput.Close();
        var said = node.StandardOutput.ReadToEnd();
        node.WaitForExit();
        return node.ExitCode == 0 ? JsonSerializer.Deserialize<double[]>(said)! : throw new InvalidOperationException(node.StandardError.ReadToEnd());
    }
}
