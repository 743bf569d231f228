using System.Diagnostics;

namespace Halftone.Bench;

/// <summary>
/// The same catalogue uploaded several times into the published program: processor time of server and codec children, bytes between it and
/// the origin.
/// </summary>
internal static class RerunBench
{
    /// <param name="program">The published program.</param>
    /// <param name="folder">Images; each number has one of them.</param>
    /// <param name="images">URLs in the catalogue.</param>
    /// <param name="hasTags">Whether the origin gives ETags; without, it must send every body.</param>
    public static async Task<int> RunAsync(string program, string folder, int images, bool hasTags)
    {
        using var origin = new CountingOrigin(folder, hasTags);
        var data = Directory.CreateTempSubdirectory("halftone-rerun-bench-");
        var start = new ProcessStartInfo(
            program, ["serve", "--urls", "http://127.0.0.1:0", "--data", data.FullName, "--allow-network", "127.0.0.1"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["Halftone__Logging__LogLevel__Default"] = "Error";
        using var server = Process.Start(start)!;
        try
        {
            var url = (await server.StandardOutput.ReadLineAsync())?.Split(' ')[^1]
                ?? throw new InvalidOperationException("The server did not start.");
            using var client = new HttpClient { BaseAddress = new Uri(url) };
            // Warm: other numbers, so that nothing of them is found.
            await Catalogue.RunAsync(client, origin, 1_000_000, 40);
            Console.WriteLine("| upload | seconds | CPU-ms per image, all processes | bytes to and from the origin | images reused |");
            Console.WriteLine("| --- | --- | --- | --- | --- |");
            for (var round = 1; round <= 4; round++)
            {
                var (cpu, bytes, started) = (ProcessTree.CpuMilliseconds(server.Id), origin.Bytes, Stopwatch.GetTimestamp());
                var status = await Catalogue.RunAsync(client, origin, 0, images);
                Report.Line(
                    $"| {round} | {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} | "
                        + $"{(ProcessTree.CpuMilliseconds(server.Id) - cpu) / images:F2} | {origin.Bytes - bytes:N0} | "
                        + $"{status.GetProperty("reused").GetInt64():N0} |");
            }

            return 0;
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
            data.Delete(recursive: true);
        }
    }
}
