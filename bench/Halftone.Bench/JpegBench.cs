using System.Globalization;
using Halftone.Codec;
using Halftone.Codec.Jpeg;

namespace Halftone.Bench;

/// <summary>
/// Transcodes every JPEG of a folder in the DCT domain, from memory to memory. Times are processor time of this process (user
/// and system), so that other load matters little; the least of the rounds is shown, and the median beside it.
/// </summary>
internal static class JpegBench
{
    private const long MaxPixels = 100_000_000;

    public static int Run(string folder, string[] options)
    {
        int rounds = int.Parse(Option(options, "--rounds") ?? "3", CultureInfo.InvariantCulture), q = int.Parse(Option(options, "--q") ?? "50", CultureInfo.InvariantCulture);
        var save = Option(options, "--save");
        var style = Enum.Parse<JpegStyle>(Option(options, "--style") ?? "optimised", ignoreCase: true);
        var files = Directory.GetFiles(folder, "*.jp*g").Order(StringComparer.Ordinal).Select(path => (Name: Path.GetFileName(path), Body: File.ReadAllBytes(path))).ToArray();
        if (files.Length == 0)
        {
            Console.Error.WriteLine($"no *.jpg in {folder}");
            return 1;
        }
        // Until the inner loops are compiled with what the first calls taught.
        for (var i = 0; i < 200; i++)
        {
            JpegTranscoder.Transcode(files[i % files.Length].Body, q, MaxPixels, default, style);
            JpegTranscoder.Transcode(files[i % files.Length].Body, q, MaxPixels, default, JpegStyle.Classic);
        }
        var kinds = files.Select(file => Kind(file.Body)).ToArray();
        double[][] times = new double[rounds][], classic = new double[rounds][];
        var results = new JpegTranscodeResult[files.Length];
        for (var round = 0; round < rounds; round++)
        {
            (times[round], classic[round]) = (new double[files.Length], new double[files.Length]);
            for (var i = 0; i < files.Length; i++)
            {
                var before = Environment.CpuUsage.TotalTime;
                JpegTranscoder.Transcode(files[i].Body, q, MaxPixels, default, JpegStyle.Classic);
                var between = Environment.CpuUsage.TotalTime;
                results[i] = JpegTranscoder.Transcode(files[i].Body, q, MaxPixels, default, style);
                times[round][i] = (Environment.CpuUsage.TotalTime - between).TotalMilliseconds;
                classic[round][i] = (between - before).TotalMilliseconds;
            }
        }
        foreach (var group in Enumerable.Range(0, files.Length).GroupBy(i => kinds[i]).OrderByDescending(g => g.Count()).Append(Enumerable.Range(0, files.Length).GroupBy(_ => "all").Single()))
        {
            var taken = group.Where(i => results[i] is JpegTranscodeResult.Done).ToArray();
            long before = taken.Sum(i => (long)files[i].Body.Length), after = taken.Sum(i => (long)((JpegTranscodeResult.Done)results[i]).Body.Length);
            // By file the least of the rounds: what other work on the machine adds falls away.
            var ratio = group.Sum(i => times.Min(round => round[i])) / group.Sum(i => classic.Min(round => round[i]));
            var perRound = times.Select(round => group.Sum(i => round[i]) / group.Count()).Order().ToArray();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{group.Key,-22} {group.Count(),4} files, {taken.Length,4} done; CPU-ms/image {perRound[0]:F3} least, {perRound[rounds / 2]:F3} median, {ratio:F3} x classic; out/in {(double)after / Math.Max(1, before):F4}"));
        }
        foreach (var reason in results.GroupBy(Name).OrderByDescending(g => g.Count()))
        {
            Console.WriteLine($"{reason.Key,-40} {reason.Count()}");
        }
        if (save is not null)
        {
            Directory.CreateDirectory(save);
            for (var i = 0; i < files.Length; i++)
            {
                if (results[i] is JpegTranscodeResult.Done done)
                {
                    File.WriteAllBytes(Path.Combine(save, files[i].Name), done.Body.Span);
                }
            }
        }
        return 0;
    }

    private static string Kind(byte[] body)
    {
        if (JpegHeader.Read(body, MaxPixels, out _) is not { } header)
        {
            return "not read";
        }
        var luma = header.Frame.Components[0];
        var sampling = header.Frame.Components.Length == 1 ? "grey"
            : (luma.H / header.Frame.Components[1].H, luma.V / header.Frame.Components[1].V) switch { (2, 2) => "4:2:0", (2, 1) => "4:2:2", (1, 1) => "4:4:4", (1, 2) => "4:4:0", (4, 1) => "4:1:1", _ => "other" };
        return (header.Frame.IsProgressive ? "progressive " : "baseline ") + sampling;
    }

    private static string Name(JpegTranscodeResult result) => result switch
    {
        JpegTranscodeResult.Done done => done.IsLossless ? "done, lossless" : "done",
        JpegTranscodeResult.NotTaken not => $"not taken: {not.Reason}",
        JpegTranscodeResult.Corrupt corrupt => $"corrupt: {corrupt.Detail}",
        _ => result.GetType().Name,
    };

    private static string? Option(string[] options, string name)
    {
        var at = Array.IndexOf(options, name);
        return at >= 0 && at + 1 < options.Length ? options[at + 1] : null;
    }
}
