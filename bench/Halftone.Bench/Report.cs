using System.Globalization;
using System.Runtime.InteropServices;

namespace Halftone.Bench;

/// <summary>What every table says of where and how it was made, as Markdown.</summary>
internal static class Report
{
    public static void Head(string title, string command, Version libvips)
    {
        Console.WriteLine($"# {title}");
        Console.WriteLine();
        Line(
            $"- {TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Processor()}, {Environment.ProcessorCount} "
                + $"cores, {RuntimeInformation.OSDescription}");
        Line($"- .NET {Environment.Version}, libvips {libvips}");
        Line($"- `dotnet run -c Release --project bench/Halftone.Bench -- {command}`");
        Line(
            $"- CPU-ms: user and system time of the process, from memory to memory, by image; median of the rounds. PSNR: luma (BT.601) "
                + $"over white, dB.");
        Console.WriteLine();
    }

    public static void Line(string text) => Console.WriteLine(text);

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Processor time of an action in ms: all threads, so nothing else may run in the process.</summary>
    public static double CpuMilliseconds(Action action)
    {
        var before = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    public static string? Option(string[] options, string name)
    {
        int at = Array.IndexOf(options, name);
        return at >= 0 && at + 1 < options.Length ? options[at + 1] : null;
    }

    public static int Number(string[] options, string name, int otherwise) =>
        Option(options, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static string Processor()
    {
        const string Name = "model name";
        var line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
