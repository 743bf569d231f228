using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Halftone.Bench;

/// <summary>The same catalogue uploaded several times into the published program: processor time of server and codec children, bytes between it and the origin.</summary>
internal static class RerunBench
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="program">The published program.</param>
    /// <param name="folder">Images; each number has one of them.</param>
    /// <param name="images">URLs in the catalogue.</param>
    /// <param name="hasTags">Whether the origin gives ETags; without, it must send every body.</param>
    public static async Task<int> RunAsync(string program, string folder, int images, bool hasTags)
    {
        using var origin = new CountingOrigin(folder, hasTags);
        var data = Directory.CreateTempSubdirectory("halftone-rerun-bench-");
        var start = new ProcessStartInfo(program, ["serve", "--urls", "http://127.0.0.1:0", "--data", data.FullName, "--allow-network", "127.0.0.1"]) { RedirectStandardOutput = true };
        start.Environment["Halftone__Logging__LogLevel__Default"] = "Error";
        using var server = Process.Start(start)!;
        try
        {
            var url = (await server.StandardOutput.ReadLineAsync())?.Split(' ')[^1] ?? throw new InvalidOperationException("The server did not start.");
            using var client = new HttpClient { BaseAddress = new Uri(url) };
            // Warm: other numbers, so that nothing of them is found.
            await UploadAsync(client, origin, 1_000_000, 40);
            Console.WriteLine("| upload | seconds | CPU-ms per image, all processes | bytes to and from the origin | images reused |");
            Console.WriteLine("| --- | --- | --- | --- | --- |");
            for (var round = 1; round <= 4; round++)
            {
                var (cpu, bytes, started) = (CpuMilliseconds(server.Id), origin.Bytes, Stopwatch.GetTimestamp());
                var reused = await UploadAsync(client, origin, 0, images);
                Report.Line($"| {round} | {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} | {(CpuMilliseconds(server.Id) - cpu) / images:F2} | {origin.Bytes - bytes:N0} | {reused:N0} |");
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

    private static async Task<long> UploadAsync(HttpClient client, CountingOrigin origin, int from, int images)
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        for (var n = from; n < from + images; n++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{n},Chair {n},http://127.0.0.1:{origin.Port}/{n}\n");
        }

        using var body = new StringContent(csv.ToString(), new MediaTypeHeaderValue("text/csv"));
        using var answer = await client.PostAsync("upload", body);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("request_id").GetString();
        while (true)
        {
            var status = await client.GetFromJsonAsync<JsonElement>($"status/{id}?limit=1");
            if (status.TryGetProperty("finished_at", out _))
            {
                return status.GetProperty("progress").GetProperty("completed").GetInt64() == images
                    ? status.GetProperty("reused").GetInt64()
                    : throw new InvalidOperationException($"Not every image was completed: {status}");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>User and system time of a process, its children that live and those that ended; in ms, from proc(5), whose ticks are 10 ms.</summary>
    private static double CpuMilliseconds(int id)
    {
        var sum = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                var isServer = Path.GetFileName(folder) == id.ToString(CultureInfo.InvariantCulture);
                if (isServer || fields[1] == id.ToString(CultureInfo.InvariantCulture))
                {
                    sum += fields[11..(isServer ? 15 : 13)].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
                }
            }
            catch (IOException)
            {
                // It has ended since.
            }
        }

        return sum * 10.0;
    }
}
