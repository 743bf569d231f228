using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Halftone.Tests.Cli;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Telemetry;

/// <summary>The program in a process of its own, for its standard output and its environment are what is looked at.</summary>
public sealed class LogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-test-").FullName;
    private readonly string address = $"http://127.0.0.1:{FreePort.Find()}";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task In_json_every_line_is_an_event_and_those_of_a_request_carry_its_id()
    {
        using var server = Start("Halftone__Logging__Console__FormatterName=json");
        var id = await RunRequestAsync();
        server.Interrupt();
        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal((0, ""), (exitCode, errors));
        var events = output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(events, logged => Assert.EndsWith("Z", logged.GetProperty("Timestamp").GetString(), StringComparison.Ordinal));
        Assert.Contains(events, logged => logged.GetProperty("State").TryGetProperty("Url", out var url) && url.GetString() == address);
        var ids = events.ToLookup(logged => logged.GetProperty("EventId").GetInt32(), ScopeOf);
        Assert.Equal((id.ToString(), ""), Assert.Single(ids[801]));
        Assert.Equal((id.ToString(), "1"), Assert.Single(ids[901]));
        Assert.Equal((id.ToString(), ""), Assert.Single(ids[931]));
    }

    [Fact]
    public async Task A_delivery_is_logged_with_what_was_answered_or_with_why_nothing_was()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        using var server = Start("Halftone__Fetch__AllowNetworks__0=127.0.0.1");
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        await LiveAsync(client);
        foreach (var endpoint in new[] { receiver.Url().AbsoluteUri, $"http://127.0.0.1:{FreePort.Find()}/" })
        {
            using var registered = await client.PostAsJsonAsync("webhook", new { callback_url = endpoint }, Cancelled);
            var webhook = (await registered.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("webhook_id").GetString();
            using var pinged = await client.PostAsync($"webhook/{webhook}/ping", null, Cancelled);
            await Eventually.TrueAsync(async () =>
                (await client.GetFromJsonAsync<JsonElement>($"webhook/{webhook}/deliveries", Cancelled)).GetProperty("deliveries")[0].GetProperty("status").GetString() != "PENDING");
        }

        server.Interrupt();
        var (_, output, _) = await server.EndAsync();
        Assert.Contains(", attempt 1: delivered (HTTP 204)\n", output);
        Assert.Contains(", attempt 1: failed (connect_refused)\n", output);
    }

    [Fact]
    public async Task The_variables_that_every_telemetry_library_knows_name_the_collector_and_the_service()
    {
        await using var collector = await OtlpReceiver.StartAsync(Cancelled);
        using var server = Start($"OTEL_EXPORTER_OTLP_ENDPOINT={collector.Url}", "OTEL_SERVICE_NAME=pictures", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test");
        var id = await RunRequestAsync();
        server.Interrupt();
        var (exitCode, output, _) = await server.EndAsync();

        // Sent while it stopped, for neither interval had passed.
        Assert.Equal((0, $"Halftone listens on {address}"), (exitCode, output.Split('\n')[0]));
        Assert.Equal(("pictures", "test"), (collector.Resource["service.name"], collector.Resource["deployment.environment.name"]));
        // A plan that finds nothing left while the finish is under way asks for another, which changes nothing; no other span comes twice.
        Assert.Contains(collector.Spans, span => span.Name == "finish");
        Assert.Equal(["fetch", "image", "plan", "record", "upload"], collector.Spans.Select(span => span.Name).Where(name => name != "finish").Order(StringComparer.Ordinal));
        Assert.Single(collector.Spans.Select(span => span.TraceId).Distinct());
        Assert.Contains(collector.Spans, span => span.Attributes.GetValueOrDefault("halftone.request_id") == id.ToString());
        Assert.Equal(1, collector.Series[("halftone.images", "error.type=address_forbidden,halftone.outcome=failed")].Value);
        Assert.Equal(1, collector.Series[("halftone.codec.children", "")].Value);
    }

    [Fact]
    public async Task A_collector_that_is_not_there_is_a_warning_in_the_log_and_nothing_else()
    {
        using var server = Start($"Halftone__Telemetry__OtlpEndpoint=http://127.0.0.1:{FreePort.Find()}");
        await RunRequestAsync();
        server.Interrupt();
        var (exitCode, output, _) = await server.EndAsync();

        Assert.Equal(0, exitCode);
        Assert.Single(output.Split('\n'), line => line.Contains("The collector does not accept telemetry", StringComparison.Ordinal));
    }

    private static (string Request, string Image) ScopeOf(JsonElement logged)
    {
        var scopes = logged.GetProperty("Scopes").EnumerateArray().ToList();
        string Find(string name) => scopes.Where(scope => scope.ValueKind == JsonValueKind.Object && scope.TryGetProperty(name, out _)).Select(scope => scope.GetProperty(name).ToString()).FirstOrDefault("");
        return (Find("request_id"), Find("image_id"));
    }

    private HalftoneProcess Start(params string[] variables) => HalftoneProcess.StartWith(variables, "serve", "--urls", address, "--data", folder);

    /// <summary>One image, which is refused without a call.</summary>
    private async Task<Guid> RunRequestAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        await LiveAsync(client);
        using var csv = new StringContent("Product Name,Input Image Urls\nMug,http://127.0.0.1:1/a.jpg\n", System.Net.Http.Headers.MediaTypeHeaderValue.Parse("text/csv"));
        using var answer = await client.PostAsync("upload", csv, Cancelled);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("request_id").GetGuid();
        await Eventually.TrueAsync(async () => (await client.GetFromJsonAsync<JsonElement>($"status/{id}", Cancelled)).TryGetProperty("finished_at", out _));
        return id;
    }

    private static Task LiveAsync(HttpClient client) => Eventually.TrueAsync(async () =>
    {
        try
        {
            using var live = await client.GetAsync("health/live", Cancelled);
            return live.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    });
}
