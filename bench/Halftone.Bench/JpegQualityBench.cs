using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Halftone.Codec;
using Halftone.Codec.Jpeg;

namespace Halftone.Bench;

/// <summary>
/// Compares the styles of JPEG output at equal quality: every file of a folder in each style, and in the classic style at qualities
/// around, measured
/// against its source in the middle 512 x 512 pixels by PSNR and SSIM of luma, SSIMULACRA 2, and butteraugli's 3-norm (the program
/// <c>butteraugli_main</c> of libjxl-devtools). Prints a table in Markdown.
/// </summary>
internal static partial class JpegQualityBench
{
    private const int Side = 512;

    private const long MaxPixels = 200_000_000;

    private enum Metric
    {
        Psnr,
        Ssim,
        Ssimulacra2,
        Butteraugli,
    }

    public static int Run(string folder, string[] options)
    {
        var every = Number(options, "--every", 1);
        var q = Number(options, "--q", 50);
        var files = Directory.GetFiles(folder).Where(path => Path.GetExtension(path).ToUpperInvariant() is ".JPG" or ".JPEG")
            .Order(StringComparer.Ordinal).Where((_, i) => i % every == 0).Select(File.ReadAllBytes).ToArray();
        int[] around = [q - 8, q, q + 8];
        var classic = around.ToDictionary(other => other, other => Measure(files, other, JpegStyle.Classic));
        // What became of a file that the classic style keeps as it is can be compared with nothing.
        var compared = Enumerable.Range(0, files.Length).Where(i => classic[q][i] is { } c && c.Values[Metric.Butteraugli] > 0).ToArray();
        Console.WriteLine($"{files.Length} files, {compared.Length} compared, quality {q}");
        foreach (var style in (JpegStyle[])[JpegStyle.Optimised, JpegStyle.Baseline])
        {
            Print(style, Measure(files, q, style), classic, q, compared);
        }

        return 0;
    }

    private static void Print(JpegStyle style, Output?[] outputs, Dictionary<int, Output?[]> classic, int q, int[] compared)
    {
        double Sum(Output?[] of) => compared.Sum(i => (double)of[i]!.Bytes);
        double Mean(Output?[] of, Metric metric) => compared.Average(i => of[i]!.Values[metric]);
        var ratios = compared
            .Select(i => outputs[i]!.Values[Metric.Butteraugli] / classic[q][i]!.Values[Metric.Butteraugli]).Order().ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{style}: bytes {Sum(outputs) / Sum(classic[q]):F3} x; butteraugli by file {ratios[ratios.Length / 2]:F3} x at the median, "
            + $"{ratios[ratios.Length * 9 / 10]:F3} x at the 90th percentile, "
            + $"{ratios[^1]:F3} x at worst; {ratios.Count(r => r > 1.05)} above 1.05"));
        foreach (var metric in Enum.GetValues<Metric>())
        {
            // Classic bytes at the same mean: the logarithm of the bytes on straight lines between the qualities.
            var points = classic.Values.Select(of => (X: Mean(of, metric), Y: Math.Log(Sum(of)))).OrderBy(point => point.X).ToArray();
            var x = Mean(outputs, metric);
            var (a, b) = x <= points[1].X ? (points[0], points[1]) : (points[1], points[2]);
            var equal = Math.Exp(a.Y + (b.Y - a.Y) * (x - a.X) / (b.X - a.X));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {metric,-12} {Mean(classic[q], metric):F4} -> {x:F4}; bytes at equal {metric}: {Sum(outputs) / equal:F3} x"));
        }
    }

    /// <summary>By file; null for one that is not for the DCT domain.</summary>
    private static Output?[] Measure(byte[][] files, int q, JpegStyle style)
    {
        var outputs = new Output?[files.Length];
        Parallel.For(0, files.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i => outputs[i] = Measure(files[i], q, style));
        return outputs;
    }

    private static Output? Measure(byte[] source, int q, JpegStyle style)
    {
        ReadOnlyMemory<byte>? body = JpegTranscoder.Transcode(source, q, MaxPixels, default, style) switch
        {
            JpegTranscodeResult.Done done => done.Body,
            JpegTranscodeResult.KeepOriginal => source,
            _ => (ReadOnlyMemory<byte>?)null,
        };
        if (body is not { } output)
        {
            return null;
        }

        Pixels before = Pixels.Of(source).Middle(Side), after = Pixels.Of(output).Middle(Side);
        return new Output(output.Length, new()
        {
            [Metric.Psnr] = before.Luma.Psnr(after.Luma),
            [Metric.Ssim] = before.Luma.Ssim(after.Luma),
            [Metric.Ssimulacra2] = Ssimulacra2.Score(before.Rgb, after.Rgb, before.Width, before.Height),
            [Metric.Butteraugli] = before.Rgb.AsSpan().SequenceEqual(after.Rgb) ? 0 : Butteraugli(before, after),
        });
    }

    private static double Butteraugli(Pixels a, Pixels b)
    {
        var folder = Directory.CreateTempSubdirectory("halftone-bench-");
        try
        {
            string first = Path.Combine(folder.FullName, "a.ppm"), second = Path.Combine(folder.FullName, "b.ppm");
            Write(first, a);
            Write(second, b);
            var start = new ProcessStartInfo("butteraugli_main", [first, second])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var program = Process.Start(start)
                ?? throw new InvalidOperationException("no butteraugli_main: install libjxl-devtools");
            var errors = program.StandardError.ReadToEndAsync();
            var text = program.StandardOutput.ReadToEnd() + errors.Result;
            program.WaitForExit();
            var norm = ThreeNorm().Match(text);
            return norm.Success ? double.Parse(norm.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
                : throw new InvalidOperationException(text);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Write(string path, Pixels pixels)
    {
        using var file = File.Create(path);
        file.Write(Encoding.ASCII.GetBytes($"P6\n{pixels.Width} {pixels.Height}\n255\n"));
        file.Write(pixels.Rgb);
    }

    private static int Number(string[] options, string name, int otherwise) =>
        Array.IndexOf(options, name) is >= 0 and var at ? int.Parse(options[at + 1], CultureInfo.InvariantCulture) : otherwise;

    [GeneratedRegex(@"3-norm: ([\d.]+)")]
    private static partial Regex ThreeNorm();

    private sealed record Output(int Bytes, Dictionary<Metric, double> Values);
}
