using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace Halftone.Bench;

/// <summary>One large upload into the published program: seconds until its 200, processor time and peak memory of the server.</summary>
internal static class IntakeBench
{
    public static async Task<int> RunAsync(string program, int urls, string? connectionString)
    {
        var folder = Directory.CreateTempSubdirectory("halftone-intake-bench-");
        var csv = Path.Combine(folder.FullName, "products.csv");
        await WriteAsync(csv, urls);
        using var server = Start(program, Path.Combine(folder.FullName, "data"), connectionString);
        try
        {
            // "Halftone listens on http://127.0.0.1:43567"
            var url = (await server.StandardOutput.ReadLineAsync())?.Split(' ')[^1]
                ?? throw new InvalidOperationException("The server did not start.");
            using var client = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromMinutes(10) };
            for (var round = 1; round <= 3; round++)
            {
                server.Refresh();
                var cpu = server.TotalProcessorTime;
                var started = Stopwatch.GetTimestamp();
                await using var file = File.OpenRead(csv);
                using var body = new StreamContent(file) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } };
                using var answer = await client.PostAsync("upload", body);
                var elapsed = Stopwatch.GetElapsedTime(started);
                var text = await answer.Content.ReadAsStringAsync();
                if (!answer.IsSuccessStatusCode)
                {
                    Console.Error.WriteLine(text);
                    return 1;
                }

                server.Refresh();
                Report.Line(
                    $"round {round}: {urls:N0} URLs, {file.Length / 1e6:F0} MB: {elapsed.TotalSeconds:F1} s to "
                        + $"the {(int)answer.StatusCode}, {(server.TotalProcessorTime - cpu).TotalSeconds:F1} CPU-s, "
                        + $"peak {server.PeakWorkingSet64 / 1e6:F0} MB");
                // The next round measures an upload and not the work that this one has begun.
                using var deleted = await client.DeleteAsync(
                    $"requests/{System.Text.Json.JsonDocument.Parse(text).RootElement.GetProperty("request_id").GetString()}");
            }

            return 0;
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            folder.Delete(recursive: true);
        }
    }

    private static Process Start(string program, string data, string? connectionString)
    {
        var start = new ProcessStartInfo(program, ["serve", "--urls", "http://127.0.0.1:0", "--data", data])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["Halftone__Database__ConnectionString"] = connectionString ?? "";
        start.Environment["Halftone__Logging__LogLevel__Default"] = "Error";
        // No name is looked up and no socket opened for the images of the round before.
        start.Environment["Halftone__Queue__Prefetch"] = "1";
        return Process.Start(start)!;
    }

    private static async Task WriteAsync(string path, int urls)
    {
        const string Images = "https://images.example/products/";
        await using var file = new StreamWriter(path);
        await file.WriteAsync("S. No.,Product Name,Input Image Urls\n");
        for (var row = 1; row <= urls / 2; row++)
        {
            await file.WriteAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{row},\"Chair, oak {row}\",\"{Images}{row}-front.jpg,{Images}{row}-back.jpg\"\n"));
        }
    }
}
