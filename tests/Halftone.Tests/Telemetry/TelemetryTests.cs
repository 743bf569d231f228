using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Halftone.Telemetry;
using Halftone.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Telemetry;

public sealed class TelemetryTests
{
    /// <summary>The uploader's own span.</summary>
    private const string CallerSpan = "b7ad6b7169203331";

    private static readonly string[] TraceHeaders = ["traceparent", "tracestate", "baggage", "request-id", "correlation-context"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_its_images_and_its_webhook_are_one_trace_that_goes_on_from_the_uploaders_and_origins_hear_nothing_of_it()
    {
        var traceId = NewTraceId();
        await using var collector = await OtlpReceiver.StartAsync(Cancelled);
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        var heard = ServePictures(origin);
        await using var server = await StartAsync(
            collector, ("Fetch:RetrySchedule:0", "00:00:00.010"), ("Telemetry:OtlpHeaders", "authorization=Bearer abc"));
        var id = await UploadAsync(
            server,
            $"00-{traceId}-{CallerSpan}-01",
            $"A,{origin.Url("a.jpg")}\nB,{origin.Url("moved.jpg")}\nC,{origin.Url("missing.jpg")}\n",
            receiver);
        var (headers, _) = await receiver.NextAsync(Cancelled);

        // Spans are sent every 5 s, and what is left when the server stops.
        await server.StopAsync(Cancelled);

        var spans = collector.Spans.Where(span => span.TraceId == traceId).ToList();
        // A plan that finds nothing left while the finish is under way asks for another, which changes nothing; no other span comes twice.
        Assert.Contains(spans, span => span.Name == "finish");
        string[] expected =
        [
            "compress", "compress", "fetch", "fetch", "fetch", "image", "image", "image", "plan", "record", "record", "record", "store",
            "store", "upload", "webhook",
        ];
        Assert.Equal(expected, spans.Select(span => span.Name).Where(name => name != "finish").Order(StringComparer.Ordinal));
        var (upload, plan, webhook) =
            (spans.Single(
                span => span.Name == "upload"), spans.Single(span => span.Name == "plan"), spans.Single(span => span.Name == "webhook"));
        Assert.Equal(CallerSpan, upload.ParentSpanId);
        Assert.All(
            spans.Where(span => span.Name is "plan" or "finish" or "webhook"), span => Assert.Equal(upload.SpanId, span.ParentSpanId));
        var images = spans.Where(span => span.Name == "image").ToList();
        Assert.All(images, image => Assert.Equal(plan.SpanId, image.ParentSpanId));
        Assert.All(
            spans.Where(span => span.Name is "fetch" or "compress" or "store" or "record"),
            span => Assert.Contains(span.ParentSpanId, images.Select(image => image.SpanId)));
        Assert.All(
            spans.Where(span => span.Name is "upload" or "image" or "finish" or "webhook"),
            span => Assert.Equal(id.ToString(), span.Attributes["halftone.request_id"]));
        Assert.Equal("http_status", Assert.Single(images, image => image.Status == 2).Attributes["error.type"]);

        Assert.Equal($"00-{traceId}-{webhook.SpanId}-01", headers["traceparent"]);
        Assert.Equal(4, heard.Count);
        Assert.Empty(heard.SelectMany(name => name).Intersect(TraceHeaders));
        Assert.Equal(("halftone", "Bearer abc"), (collector.Resource["service.name"], collector.Headers["authorization"]));
    }

    [Fact]
    public async Task A_caller_that_does_not_record_its_trace_has_none_recorded_and_finds_its_id_in_the_webhook()
    {
        var traceId = NewTraceId();
        await using var collector = await OtlpReceiver.StartAsync(Cancelled);
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        ServePictures(origin);
        await using var server = await StartAsync(collector);
        await UploadAsync(server, $"00-{traceId}-{CallerSpan}-00", $"A,{origin.Url("a.jpg")}\n", receiver);
        var (headers, _) = await receiver.NextAsync(Cancelled);
        await server.StopAsync(Cancelled);

        Assert.DoesNotContain(collector.Spans, span => span.TraceId == traceId);
        Assert.Matches($"^00-{traceId}-[0-9a-f]{{16}}-00$", headers["traceparent"]);
    }

    [Fact]
    public async Task Metrics_arrive_under_their_names_with_their_units()
    {
        await using var collector = await OtlpReceiver.StartAsync(Cancelled);
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        ServePictures(origin);
        await using var server = await StartAsync(collector);
        // A name, so that it is looked up.
        await UploadAsync(
            server,
            null,
            $"A,{origin.Url("a.jpg").AbsoluteUri.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}\nB,"
                + $"{origin.Url("missing.jpg")}\n",
            receiver);
        await receiver.NextAsync(Cancelled);
        // The database, the queue and the children are there until the server stops, and so are their numbers.
        string[] others = ["halftone.codec.images", "dotnet.process.memory.working_set", "http.server.request.duration"];
        await Eventually.TrueAsync(() =>
            collector.Series.ContainsKey(("halftone.webhook.attempts", "halftone.outcome=delivered"))
                && others.All(name => collector.Series.Keys.Any(key => key.Name == name)));

        // Other tests of this process are counted too, for the instruments are those of the process.
        void Expect(string name, string unit, string attributes, double least = 1)
        {
            Assert.True(
                collector.Series.TryGetValue((name, attributes), out var series),
                $"{name} {attributes} is not among {string.Join(" ", collector.Series.Keys.Where(key => key.Name == name))}");
            Assert.Equal(unit, series.Unit);
            Assert.True(series.Value >= least, series.ToString());
        }

        Expect("halftone.uploads", "{upload}", "halftone.outcome=accepted");
        Expect("halftone.intake.rows", "{row}", "", 2);
        Expect("halftone.intake.images", "{image}", "", 2);
        Expect("halftone.images", "{image}", "halftone.image.format=jpeg,halftone.outcome=completed");
        Expect("halftone.images", "{image}", "error.type=http_status,halftone.outcome=failed");
        Expect("halftone.image.input", "By", "halftone.image.format=jpeg", Picture.Jpeg.Length);
        Expect("halftone.image.output", "By", "halftone.image.format=jpeg", 100);
        foreach (var stage in new[] { "resolve", "fetch", "compress", "store", "record" })
        {
            Expect("halftone.image.stage.duration", "s", $"halftone.stage={stage}");
        }

        Expect("halftone.requests", "{request}", "halftone.state=completed");
        Expect("halftone.webhook.duration", "s", "");
        foreach (var queue in new[] { "work", "finish", "deliver", "delete" })
        {
            Expect("halftone.queue.length", "{message}", $"halftone.queue={queue}", 0);
            Expect("halftone.queue.waiting", "{message}", $"halftone.queue={queue}", 0);
        }

        Expect("halftone.images.active", "{image}", "halftone.state=working", 0);
        Expect("halftone.images.active", "{image}", "halftone.state=waiting_for_host", 0);
        Expect("halftone.codec.waiting", "{image}", "", 0);
        Expect("halftone.codec.children", "{process}", "");
        Expect("halftone.codec.memory", "By", "", 1 << 20);
        Expect("halftone.codec.restarts", "{process}", "halftone.reason=failed", 0);
        Expect("halftone.fetch.hosts", "{host}", "halftone.state=reachable");
        Expect("halftone.fetch.hosts", "{host}", "halftone.state=open", 0);
        Expect("halftone.fetch.memory", "By", "", 0);
        Expect("halftone.backlog.requests", "{request}", "", 0);
        Expect("halftone.backlog.images", "{image}", "", 0);
        Assert.DoesNotContain(collector.Series.Keys, key => key.Name.StartsWith("http.client", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_collector_that_never_answers_does_not_hold_up_the_end()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var server = await HalftoneServer.StartAsync(
            Cancelled, null, ("Telemetry:OtlpEndpoint", $"http://{silent.LocalEndpoint}"), ("Telemetry:FlushTimeout", "00:00:00.300"));
        await UploadAsync(server, null, "A,\n", receiver);
        await receiver.NextAsync(Cancelled);

        var clock = Stopwatch.StartNew();
        await server.StopAsync(Cancelled);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
    }

    [Theory]
    [InlineData(1_000, 10, new[] { 0, 1, 2, 9 }, 10)]
    [InlineData(10, 1_000, new[] { 0, 100, 900 }, 10)]
    [InlineData(1_000, 5_000_000, new[] { 0, 5_000 }, 1_000)]
    [InlineData(3, 10, new[] { 0, 4, 8 }, 3)]
    [InlineData(0, 10, new int[0], 0)]
    public void So_many_images_of_a_request_are_traced_evenly_spread(int wanted, int images, int[] some, int count)
    {
        const string Traced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var sample = new ImageSample(Options.Create(new TelemetryOptions { TracedImages = wanted }));
        var traced = Enumerable.Range(0, images).Where(index => sample.TraceOf(Traced, index, images) == Traced).ToHashSet();
        Assert.Equal(count, traced.Count);
        Assert.Superset(some.ToHashSet(), traced);
        Assert.Null(sample.TraceOf(Traced[..^1] + "0", 0, images));
        Assert.Null(sample.TraceOf(null, 0, images));
    }

    private static string NewTraceId() => ActivityTraceId.CreateRandom().ToHexString();

    private static Task<HalftoneServer> StartAsync(OtlpReceiver collector, params (string, string?)[] settings) =>
        HalftoneServer.StartAsync(
            Cancelled, null, [("Telemetry:OtlpEndpoint", collector.Url), ("Telemetry:MetricsInterval", "00:00:01"), .. settings]);

    /// <summary>Keeps the names of the headers of every request.</summary>
    private static ConcurrentQueue<string[]> ServePictures(ImageOrigin origin)
    {
        var heard = new ConcurrentQueue<string[]>();
        void Listen(HttpContext context) => heard.Enqueue([.. context.Request.Headers.Keys.Select(name => name.ToLowerInvariant())]);
        origin.Serve("/a.jpg", context =>
        {
            Listen(context);
            return context.Response.Body.WriteAsync(Picture.Jpeg, context.RequestAborted).AsTask();
        });
        origin.Serve("/moved.jpg", context =>
        {
            Listen(context);
            context.Response.Redirect("/a.jpg");
            return Task.CompletedTask;
        });
        origin.Serve("/missing.jpg", context =>
        {
            Listen(context);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        return heard;
    }

    private static async Task<Guid> UploadAsync(HalftoneServer server, string? traceParent, string rows, WebhookReceiver receiver)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("Product Name,Input Image Urls\n" + rows), "file", "a.csv" },
            { new StringContent(receiver.Url().AbsoluteUri), "webhook_url" },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "upload") { Content = form };
        if (traceParent is not null)
        {
            request.Headers.Add("traceparent", traceParent);
        }

        using var answer = await server.Client.SendAsync(request, Cancelled);
        var body = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("request_id").GetGuid();
    }
}
