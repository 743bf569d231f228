using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Halftone.Store;
using Spectre.Console;

namespace Halftone.Commands;

/// <summary>
/// <c>halftone demo</c>: the whole way of a real CSV on this machine. A second listener plays the shop's web server with the bundled sample
/// images; everything else is the product, used through its public API.
/// </summary>
internal static class DemoCommand
{
    private const string SampleOrigin = "http://images.example/";
    private static readonly Option<bool> Once = new("--once") { Description = "End when the result is there." };

    public static Command Create()
    {
        var command = new Command("demo", "Compresses the bundled sample CSV on this machine, step by step, and stays up for you to look around.")
        {
            Once,
            ServerOptionsOnCommandLine.Urls,
            ServerOptionsOnCommandLine.Data,
            ServerOptionsOnCommandLine.AllowNetwork,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var samples = Path.Combine(AppContext.BaseDirectory, "samples");
        var temporary = Directory.CreateTempSubdirectory("halftone-demo-");
        try
        {
            await using var origin = await ServeImagesAsync(Path.Combine(samples, "images"), cancellationToken);
            var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
            {
                ["Urls"] = "http://127.0.0.1:0",
                ["Data:Folder"] = temporary.FullName,
                ["Database:ConnectionString"] = "",
                // The sample images come from this machine, which is closed by default.
                ["Fetch:AllowNetworks:0"] = "127.0.0.1",
                ["Logging:LogLevel:Default"] = "Warning",
            };
            foreach (var (name, value) in ServerOptionsOnCommandLine.ToSettings(result))
            {
                settings[name] = value;
            }

            await using var server = Program.BuildServer(ServeCommand.CreateBuilder(settings));
            await server.StartAsync(cancellationToken);
            var completed = await ShowAsync(Path.Combine(samples, "products.csv"), origin.Urls.First(), server.Urls.First(), cancellationToken);
            if (!result.GetValue(Once))
            {
                AnsiConsole.MarkupLineInterpolated($"The page is at [link]{server.Urls.First()}/[/]. Press Ctrl-C to end.");
                await server.WaitForShutdownAsync(cancellationToken);
            }

            await server.StopAsync(CancellationToken.None);
            return completed ? 0 : 2;
        }
        catch (Exception exception) when (ServeCommand.Explain(exception) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private static async Task<WebApplication> ServeImagesAsync(string folder, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        var origin = builder.Build();
        origin.MapGet("/{file}", (string file) =>
            Path.GetFileName(file) == file && File.Exists(Path.Combine(folder, file))
                ? TypedResults.PhysicalFile(Path.Combine(folder, file), FormatName.ContentTypeOf(file))
                : (IResult)TypedResults.NotFound());
        await origin.StartAsync(cancellationToken);
        return origin;
    }

    private static async Task<bool> ShowAsync(string csvPath, string origin, string server, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = new Uri(server + "/") };
        var csv = (await File.ReadAllTextAsync(csvPath, cancellationToken)).Replace(SampleOrigin, origin + "/", StringComparison.Ordinal);
        AnsiConsole.MarkupLineInterpolated($"[bold]products.csv[/] → POST {server}/upload");
        var statusUrl = await UploadAsync(client, csv, cancellationToken);
        var status = await FollowAsync(client, statusUrl, cancellationToken);
        var state = status.GetProperty("status").GetString();
        if (status.TryGetProperty("result_url", out var resultUrl))
        {
            AnsiConsole.WriteLine();
            await Console.Out.WriteLineAsync(await client.GetStringAsync(resultUrl.GetString(), cancellationToken));
        }

        var bytes = status.GetProperty("bytes");
        var progress = status.GetProperty("progress");
        AnsiConsole.MarkupLineInterpolated($"[bold]{state}[/]: {progress.GetProperty("completed").GetInt64()} of {progress.GetProperty("total").GetInt64()} images, {bytes.GetProperty("input").GetInt64():N0} → {bytes.GetProperty("output").GetInt64():N0} bytes, [green]{bytes.GetProperty("saved_percent").GetDouble():0.#} % saved[/]");
        return state == "COMPLETED" && progress.GetProperty("failed").GetInt64() == 0;
    }

    private static async Task<string> UploadAsync(HttpClient client, string csv, CancellationToken cancellationToken)
    {
        using var file = new ByteArrayContent(Encoding.UTF8.GetBytes(csv));
        file.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var form = new MultipartFormDataContent { { file, "file", "products.csv" } };
        using var answer = await client.PostAsync("upload", form, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.IsSuccessStatusCode
            ? JsonDocument.Parse(body).RootElement.GetProperty("status_url").GetString()!
            : throw new InvalidOperationException($"The upload was refused: {body}");
    }

    private static Task<JsonElement> FollowAsync(HttpClient client, string statusUrl, CancellationToken cancellationToken) =>
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn()).StartAsync(async bars =>
        {
            var images = bars.AddTask("images");
            while (true)
            {
                var status = await client.GetFromJsonAsync<JsonElement>(statusUrl + "?limit=1", cancellationToken);
                var progress = status.GetProperty("progress");
                images.MaxValue = Math.Max(1, progress.GetProperty("total").GetInt64());
                images.Value = progress.GetProperty("completed").GetInt64() + progress.GetProperty("failed").GetInt64();
                if (status.TryGetProperty("finished_at", out _))
                {
                    return status;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }
        });
}
