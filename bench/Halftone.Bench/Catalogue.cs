using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Halftone.Bench;

/// <summary>A CSV of products with an image each, uploaded and followed to its end.</summary>
internal static class Catalogue
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="client">Of the server.</param>
    /// <param name="origin">Of the images.</param>
    /// <param name="from">Number of the first image.</param>
    /// <param name="images">How many.</param>
    /// <param name="query">Of the upload.</param>
    /// <param name="watch">Told each quarter.</param>
    /// <returns>The last status.</returns>
    /// <exception cref="InvalidOperationException">Not every image was completed.</exception>
    public static async Task<JsonElement> RunAsync(
        HttpClient client, CountingOrigin origin, int from, int images, string query = "", Action<long>? watch = null)
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        for (var n = from; n < from + images; n++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{n},Chair {n},http://127.0.0.1:{origin.Port}/{n}\n");
        }

        using var body = new StringContent(csv.ToString(), new MediaTypeHeaderValue("text/csv"));
        using var answer = await client.PostAsync("upload" + query, body);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("request_id").GetString();
        for (var quarter = 1; ;)
        {
            var status = await client.GetFromJsonAsync<JsonElement>($"status/{id}?limit=1");
            var completed = status.GetProperty("progress").GetProperty("completed").GetInt64();
            for (; watch is not null && completed >= images * quarter / 4 && quarter <= 4; quarter++)
            {
                watch(completed);
            }

            if (status.TryGetProperty("finished_at", out _))
            {
                return completed == images ? status : throw new InvalidOperationException($"Not every image was completed: {status}");
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
