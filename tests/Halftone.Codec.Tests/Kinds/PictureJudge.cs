using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Halftone.Codec.Tests.Kinds;

/// <summary>
/// Other people's decoders, asked about many pictures at once: Pillow with LittleCMS, and avifdec (tests/python/judge-pictures.py).
/// </summary>
internal static class PictureJudge
{
    // Debian's own Python has Debian's Pillow.
    private const string Python = "/usr/bin/python3";

    /// <param name="Numbers">An ICC profile of the reference, where its decoder hands out numbers alone.</param>
    internal sealed record Task(string Name, string Output, string? Reference, string? Numbers);

    /// <summary>An animation as a viewer plays it; one frame for a picture.</summary>
    internal sealed record Played(int Frames, int[] Durations, int Loop);

    internal sealed record Verdict(string Name)
    {
        public string? Error { get; init; }

        public int[] Size { get; init; } = [];

        public int Frames { get; init; }

        public int[] Durations { get; init; } = [];

        public int Loop { get; init; }

        /// <summary>The reference's; null without one.</summary>
        public Played? Expected { get; init; }

        /// <summary>Different colours of the first frame.</summary>
        public int Colours { get; init; }

        /// <summary>Mean difference of a grid of 32 x 32 colours, in levels of 255.</summary>
        public double Shift { get; init; }

        /// <summary>The greatest difference of that grid.</summary>
        public double Most { get; init; }
    }

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static bool IsInstalled { get; } = File.Exists(Python)
        && File.Exists("/usr/bin/avifdec")
        && Directory.Exists("/usr/lib/python3/dist-packages/PIL");

    public static Dictionary<string, Verdict> Ask(IEnumerable<Task> tasks)
    {
        var start = new ProcessStartInfo(Python, ["-W", "ignore", Path.Combine(AppContext.BaseDirectory, "python", "judge-pictures.py")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var answers = process.StandardOutput.ReadToEndAsync();
        foreach (var task in tasks)
        {
            process.StandardInput.WriteLine(JsonSerializer.Serialize(task, Json));
        }

        process.StandardInput.Close();
        return answers.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<Verdict>(line, Json)!).ToDictionary(verdict => verdict.Name);
    }
}
