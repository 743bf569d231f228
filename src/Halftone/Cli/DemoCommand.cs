using System.CommandLine;
using Halftone.Hosting;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Cli;

/// <summary>
/// <c>halftone demo</c>: processes a real CSV on this machine from upload to result. A second listener plays the shop's
/// web server with the bundled sample images; everything else is the product, used through its public API.
/// </summary>
internal static class DemoCommand
{
    private const string SampleOrigin = "http://images.example/";
    private static readonly Option<bool> Once = new("--once") { Description = "Exit when the result is complete." };

    public static Command Create()
    {
        var command = new Command(
            "demo",
            "Compresses the bundled sample CSV on this machine, step by step, then keeps the server running so that you can look around.")
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
            var settings = Settings.OfOneProcess(temporary.FullName);
            settings["Urls"] = "http://127.0.0.1:0";
            // The sample images are served by this machine, which is blocked by default.
            settings["Fetch:AllowNetworks:0"] = "127.0.0.1";
            settings["Logging:LogLevel:Default"] = "Warning";
            foreach (var (name, value) in ServerOptionsOnCommandLine.ToSettings(result))
            {
                settings[name] = value;
            }

            await using var server = ServerBuilder.Build(ServerBuilder.Create(settings));
            await ServerBuilder.StartAsync(server, cancellationToken);
            var csv = Path.Combine(temporary.FullName, "products.csv");
            var sample = await File.ReadAllTextAsync(Path.Combine(samples, "products.csv"), cancellationToken);
            await File.WriteAllTextAsync(
                csv,
                sample.Replace(SampleOrigin, origin.Urls.First() + "/", StringComparison.Ordinal),
                cancellationToken);
            var status = await ShowAsync(result, csv, server.Urls.First(), cancellationToken);
            if (!result.GetValue(Once))
            {
                result.Print($"The page is at {server.Urls.First()}/. Press Ctrl-C to stop.");
                await server.WaitForShutdownAsync(cancellationToken);
            }

            await server.StopAsync(CancellationToken.None);
            return Report.ExitCodeOf(status);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Stopped;
        }
        catch (Exception exception) when (ServeCommand.Explain(exception) is { } sentence)
        {
            result.Say(sentence);
            return ExitCode.NotDone;
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

    /// <summary>Uploads and follows the request as any client would.</summary>
    private static async Task<RequestStatus> ShowAsync(ParseResult result, string csv, string server, CancellationToken cancellationToken)
    {
        result.Print($"halftone upload products.csv --server {server} --wait");
        using var client = new ServerClient(new Uri(server), null);
        var accepted = await client.UploadAsync(
            new UploadRequest { File = csv, Fields = new Dictionary<string, string>() },
            _ => { },
            cancellationToken);
        var requestId = accepted.Value.RequestId.ToString("D");
        var status = await ProgressDisplay.WhileAsync(
            result,
            "products.csv",
            TimeProvider.System,
            display => new RequestFollower(client, TimeProvider.System, display).FollowAsync(requestId, cancellationToken));
        await client.DownloadResultAsync(requestId, csv, cancellationToken);
        result.Print("");
        result.Print(await File.ReadAllTextAsync(csv, cancellationToken));
        foreach (var line in Report.LinesOf(status))
        {
            result.Print(line);
        }

        return status;
    }
}
