using System.Diagnostics;
using System.Globalization;

namespace Halftone.Bench;

/// <summary>A catalogue through servers that run already: images a second, processor time and memory.</summary>
internal static class LoadBench
{
    /// <param name="url">Where to upload.</param>
    /// <param name="processes">Ids of the server's processes, with commas; their children count too.</param>
    /// <param name="folder">Images; each number has one of them.</param>
    /// <param name="images">URLs in the catalogue.</param>
    /// <param name="latency">Before each answer of the origin, ms.</param>
    public static async Task<int> RunAsync(string url, string processes, string folder, int images, int latency)
    {
        int[] ids = [.. processes.Split(',').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
        using var origin = new CountingOrigin(folder, hasTags: true) { Latency = TimeSpan.FromMilliseconds(latency) };
        using var client = new HttpClient { BaseAddress = new Uri(url) };
        await Catalogue.RunAsync(client, origin, 1_000_000, 200, "?reuse=false");
        var (cpu, started) = (ProcessTree.CpuMilliseconds(ids), Stopwatch.GetTimestamp());
        await Catalogue.RunAsync(client, origin, 0, images, "?reuse=false", completed =>
        {
            var (count, size) = ProcessTree.Size(ids);
            Report.Line($"{completed:N0} images: {count} processes, {size} MiB");
        });
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Report.Line(
            $"{images:N0} images, {latency} ms: {images / seconds:F1} images/s, {(ProcessTree.CpuMilliseconds(ids) - cpu) / images:F2} "
                + $"CPU-ms per image");
        return 0;
    }
}
