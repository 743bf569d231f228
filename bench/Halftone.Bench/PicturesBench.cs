using System.Diagnostics;
using System.Globalization;
using Halftone.Codec;
using Halftone.Codec.Tests.Kinds;

namespace Halftone.Bench;

/// <summary>
/// Compresses every picture below some folders and asks other people's decoders about the outputs: whether one is larger than its source,
/// how far its
/// colours are off, and whether an animation plays as it did. What each picture must meet is what docs/pictures.md promises.
/// </summary>
internal static class PicturesBench
{
    /// <summary>Mean difference of a grid of 32 x 32 colours, in levels of 255.</summary>
    private const double MostShift = 1.5;

    private const int AskedAtOnce = 200;

    private static readonly string[] Extensions =
    [
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif", ".tif", ".tiff", ".bmp", ".ico", ".cur",
    ];

    private sealed class Row
    {
        public int Files, Refused, Kept, Larger, Unjudged, Shifted, OtherFrames;
        public long BytesIn, BytesOut;
        public List<double> Shifts { get; } = [];
    }

    public static int Run(string[] folders)
    {
        var rows = new SortedDictionary<string, Row>(StringComparer.Ordinal);
        var refusals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var findings = new List<string>();
        var work = Directory.CreateTempSubdirectory("halftone-pictures-").FullName;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var clock = Stopwatch.StartNew();
        try
        {
            foreach (var files in Find(folders).Chunk(AskedAtOnce))
            {
                Judge(files, work, seen, rows, refusals, findings);
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        Write(rows, refusals, findings, clock.Elapsed);
        return rows.Values.Any(row => row.Larger > 0) ? 1 : 0;
    }

    private static IEnumerable<string> Find(string[] folders) => folders
        .SelectMany(folder => Directory.EnumerateFiles(
            folder,
            "*",
            new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
                IgnoreInaccessible = true,
            }))
        .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
        .Order(StringComparer.Ordinal);

    private static void Judge(
        string[] files, string work, HashSet<string> seen, SortedDictionary<string, Row> rows, SortedDictionary<string, int> refusals,
        List<string> findings)
    {
        var tasks = new List<PictureJudge.Task>();
        var outputs = new Dictionary<string, (string File, Row Row, CodecResult.Compressed Output)>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var source = File.ReadAllBytes(file);
            if (!seen.Add(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(source))))
            {
                continue;
            }

            var row = rows.TryGetValue(Kind(file), out var known) ? known : rows[Kind(file)] = new Row();
            row.Files++;
            var result = ImageCodec.Compress(source, new CodecRequest());
            if (result is not CodecResult.Compressed output)
            {
                var refused = (CodecResult.Refused)result;
                row.Refused++;
                refusals[$"{refused.Error}"] = refusals.GetValueOrDefault($"{refused.Error}") + 1;
                findings.Add($"refused: {file} {refused.Error}: {refused.Detail}");
                continue;
            }

            var path = Path.Combine(work, $"{tasks.Count}");
            File.WriteAllBytes(path, output.Body.ToArray());
            tasks.Add(new($"{tasks.Count}", path, file, null));
            outputs.Add(tasks[^1].Name, (file, row, output));
            row.BytesIn += source.Length;
            row.BytesOut += output.Body.Length;
            row.Kept += output.KeptOriginal ? 1 : 0;
            if (output.Body.Length > source.Length && Kind(file) == output.Format.ToString())
            {
                row.Larger++;
                findings.Add($"larger: {file} {source.Length} -> {output.Body.Length}");
            }
        }

        foreach (var (name, verdict) in PictureJudge.Ask(tasks))
        {
            var (file, row, output) = outputs[name];
            Count(file, row, output, verdict, findings);
        }
    }

    private static void Count(string file, Row row, CodecResult.Compressed output, PictureJudge.Verdict verdict, List<string> findings)
    {
        if (verdict.Error is { } error || verdict.Expected is not { } expected)
        {
            row.Unjudged++;
            findings.Add($"not judged: {file} {verdict.Error}");
            return;
        }

        if (verdict.Frames != expected.Frames
            || (expected.Frames > 1 && (!verdict.Durations.SequenceEqual(expected.Durations) || verdict.Loop != expected.Loop)))
        {
            row.OtherFrames++;
            findings.Add(
                $"plays otherwise: {file} {expected.Frames} -> {verdict.Frames} frames, {expected.Durations.Sum()} -> "
                    + $"{verdict.Durations.Sum()} ms, loop {expected.Loop} -> {verdict.Loop}");
            return;
        }

        row.Shifts.Add(verdict.Shift);
        if (verdict.Shift > MostShift)
        {
            row.Shifted++;
            findings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"shift {verdict.Shift:0.00}, at most {verdict.Most:0}: {file} ({output.Way}, {output.WidthPixels} x "
                    + $"{output.HeightPixels})"));
        }
    }

    /// <summary>By what the file is, and not by its name.</summary>
    private static string Kind(string file)
    {
        var head = new byte[64 << 10];
        using var stream = File.OpenRead(file);
        return SourceSniffer.Sniff(head.AsSpan(0, stream.Read(head))).Format?.ToString() ?? "other";
    }

    private static void Write(
        SortedDictionary<string, Row> rows, SortedDictionary<string, int> refusals, List<string> findings, TimeSpan took)
    {
        Console.WriteLine(
            "| source | files | refused | kept | bytes | larger | shift: median, 99 %, most | above 1.5 | plays otherwise | not judged |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var (kind, row) in rows)
        {
            row.Shifts.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {kind} | {row.Files:N0} | {row.Refused} | {row.Kept} | "
                    + $"{(row.BytesIn == 0 ? 0 : (double)row.BytesOut / row.BytesIn):0.00} | {row.Larger} | {At(row, 0.5):0.00}, "
                    + $"{At(row, 0.99):0.00}, {At(row, 1):0.00} | {row.Shifted} | {row.OtherFrames} | {row.Unjudged} |"));
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\n{rows.Values.Sum(row => row.Files):N0} files in {took.TotalSeconds:0} s. Refused: "
                + $"{string.Join(", ", refusals.Select(refusal => $"{refusal.Key} {refusal.Value}"))}.\n"));
        foreach (var finding in findings.Order(StringComparer.Ordinal))
        {
            Console.WriteLine($"- {finding}");
        }
    }

    private static double At(Row row, double share) =>
        row.Shifts.Count == 0 ? 0 : row.Shifts[(int)Math.Min(row.Shifts.Count - 1, share * row.Shifts.Count)];
}
