using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Halftone.Model;
using Halftone.Tests.Fetch;
using Halftone.Tests.Servers;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Webhooks;

public sealed class WebhookSenderTests : IAsyncDisposable
{
    private static readonly byte[] Body = SampleEvent.Completed.ToBody();
    private static readonly string Secret = WebhookSignature.NewSecret();
    private readonly FetchKit loopback = FetchKit.Open();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => loopback.DisposeAsync();

    [Fact]
    public async Task What_arrives_is_the_body_under_a_signature_that_the_reference_library_accepts()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);

        Assert.Equal(new DeliveryOutcome.Delivered(200), await SendAsync(receiver.Url()));

        var (headers, body) = Assert.Single(receiver.Received);
        Assert.Equal(Body, body);
        Assert.Equal("application/json", headers["content-type"]);
        Assert.Equal("msg_1", headers["webhook-id"]);
        var line = JsonSerializer.Serialize(new { secret = Secret, headers, body = Encoding.UTF8.GetString(body) });
        Assert.Equal(["ok"], await Script.NodeAsync("verify-webhooks.mjs", line, Cancelled));
    }

    [Fact]
    public async Task Nothing_beside_the_event_is_told_to_the_endpoint()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        using var activity = new System.Diagnostics.Activity("upload").Start();

        await SendAsync(receiver.Url());

        Assert.Equal(
            ["content-length", "content-type", "host", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp"],
            Assert.Single(receiver.Received).Headers.Keys.Order());
    }

    [Fact]
    public async Task A_second_attempt_has_the_same_id_and_body_with_a_fresh_timestamp_and_signature()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        var clock = new ManualTimeProvider();
        using var sender = Sender(new WebhookOptions(), clock);

        await sender.SendAsync(receiver.Url(), "msg_1", Body, Secret, Cancelled);
        clock.Advance(TimeSpan.FromHours(2));
        await sender.SendAsync(receiver.Url(), "msg_1", Body, Secret, Cancelled);

        var (first, second) = (receiver.Received.First(), receiver.Received.Last());
        Assert.Equal(first.Headers["webhook-id"], second.Headers["webhook-id"]);
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(7200, long.Parse(second.Headers["webhook-timestamp"]) - long.Parse(first.Headers["webhook-timestamp"]));
        Assert.Equal(WebhookSignature.Sign([Secret], "msg_1", clock.GetUtcNow(), Body), second.Headers["webhook-signature"]);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(299)]
    public async Task Any_2xx_is_delivered(int status)
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(status, Cancelled);
        Assert.Equal(new DeliveryOutcome.Delivered(status), await SendAsync(receiver.Url()));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Any_other_status_is_a_failure_that_may_be_tried_again(int status)
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(status, Cancelled);
        Assert.Equal(new DeliveryOutcome.Failed(FetchError.HttpStatus, status), await SendAsync(receiver.Url()));
    }

    [Fact]
    public async Task Gone_stops_for_good()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(410, Cancelled);
        Assert.Equal(new DeliveryOutcome.Gone(), await SendAsync(receiver.Url()));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_a_failure_and_is_not_followed(int status)
    {
        await using var receiver = await WebhookReceiver.StartAsync(
            context =>
            {
                context.Response.StatusCode = context.Request.Path == "/hook" ? status : 200;
                context.Response.Headers.Location = "/elsewhere";
                return Task.CompletedTask;
            },
            Cancelled);

        Assert.Equal(new DeliveryOutcome.Failed(FetchError.HttpStatus, status), await SendAsync(receiver.Url()));
        Assert.Single(receiver.Received);
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("0", 0)]
    [InlineData("999999999", 86_400)]
    [InlineData("Thu, 01 Jan 2026 00:10:00 GMT", 600)]
    [InlineData("Wed, 31 Dec 2025 23:00:00 GMT", 0)]
    [InlineData("soon", null)]
    [InlineData("-5", null)]
    public async Task Retry_after_is_read_as_seconds_or_a_date_and_held_to_a_day(string header, int? seconds)
    {
        await using var receiver = await WebhookReceiver.StartAsync(
            context =>
            {
                context.Response.StatusCode = 503;
                context.Response.Headers.RetryAfter = header;
                return Task.CompletedTask;
            },
            Cancelled);
        using var sender = Sender(new WebhookOptions(), new ManualTimeProvider());

        var outcome = await sender.SendAsync(receiver.Url(), "msg_1", Body, Secret, Cancelled);

        TimeSpan? expected = seconds is null ? null : TimeSpan.FromSeconds(seconds.Value);
        Assert.Equal(new DeliveryOutcome.Failed(FetchError.HttpStatus, 503, expected), outcome);
    }

    [Fact]
    public async Task An_endpoint_that_stalls_times_out()
    {
        await using var receiver = await WebhookReceiver.StartAsync(UntilAborted, Cancelled);
        Assert.Equal(
            new DeliveryOutcome.Failed(FetchError.HeadersTimedOut),
            await SendAsync(receiver.Url(), new WebhookOptions { Timeout = TimeSpan.FromMilliseconds(200) }));
    }

    [Fact]
    public async Task Being_told_to_stop_is_not_a_timeout()
    {
        await using var receiver = await WebhookReceiver.StartAsync(UntilAborted, Cancelled);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        using var sender = Sender(new WebhookOptions());
        var sending = sender.SendAsync(receiver.Url(), "msg_1", Body, Secret, stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public async Task An_endless_answer_is_judged_by_its_status_and_cut_off()
    {
        // A bare socket, because a web server takes bytes for a connection that is gone and would count them as sent.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var sending = SendUntilCutAsync(listener);

        Assert.Equal(new DeliveryOutcome.Delivered(200), await SendAsync(new Uri($"http://{listener.LocalEndpoint}/")));

        // What goes beyond our bound fills the kernel's buffers and no more.
        Assert.InRange(await sending, 0, 64 << 20);
    }

    [Fact]
    public async Task An_endpoint_that_hangs_up_is_a_reset_connection()
    {
        await using var receiver = await WebhookReceiver.StartAsync(
            context =>
            {
                context.Abort();
                return Task.CompletedTask;
            },
            Cancelled);
        Assert.Equal(new DeliveryOutcome.Failed(FetchError.ConnectionReset), await SendAsync(receiver.Url()));
    }

    [Fact]
    public async Task Nobody_listening_is_a_refused_connection()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));   // bound, not listening: refuses
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        Assert.Equal(new DeliveryOutcome.Failed(FetchError.ConnectRefused), await SendAsync(new Uri($"http://127.0.0.1:{port}/")));
    }

    [Fact]
    public async Task A_name_without_an_address_is_said_so()
    {
        await using var nameless = FetchKit.Open(resolve: _ => []);
        using var sender = new WebhookSender(nameless.Http, Options.Create(new WebhookOptions()), TimeProvider.System);
        Assert.Equal(
            new DeliveryOutcome.Failed(FetchError.NameNotResolved),
            await sender.SendAsync(new Uri("http://hooks.example/"), "msg_1", Body, Secret, Cancelled));
    }

    [Fact]
    public async Task Plain_http_behind_an_https_address_is_a_failed_handshake()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        var https = new UriBuilder(receiver.Url()) { Scheme = "https" }.Uri;
        Assert.Equal(new DeliveryOutcome.Failed(FetchError.TlsFailed), await SendAsync(https));
    }

    [Fact]
    public async Task An_address_that_is_not_public_is_refused_and_nothing_is_sent()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var closed = FetchKit.Closed();
        using var sender = new WebhookSender(closed.Http, Options.Create(new WebhookOptions()), TimeProvider.System);

        var outcome = await sender.SendAsync(receiver.Url(), "msg_1", Body, Secret, Cancelled);

        Assert.Equal(new DeliveryOutcome.Failed(FetchError.AddressForbidden), outcome);
        Assert.Empty(receiver.Received);
    }

    [Theory]
    [InlineData("ftp://hooks.example/", "SchemeForbidden")]
    [InlineData("/hook", "InvalidUrl")]
    public async Task What_is_no_web_address_is_refused(string endpoint, string error) =>
        Assert.Equal(new DeliveryOutcome.Failed(Enum.Parse<FetchError>(error)), await SendAsync(new Uri(endpoint, UriKind.RelativeOrAbsolute)));

    /// <summary>Answers one request with a terabyte; returns how much of it was taken before the other side hung up.</summary>
    private static async Task<long> SendUntilCutAsync(TcpListener listener)
    {
        using var connection = await listener.AcceptSocketAsync(Cancelled);
        var chunk = new byte[64 << 10];
        await connection.ReceiveAsync(chunk, Cancelled);
        await connection.SendAsync("HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n"u8.ToArray(), Cancelled);
        long sent = 0;
        try
        {
            while (true)
            {
                sent += await connection.SendAsync(chunk, Cancelled);
            }
        }
        catch (SocketException)
        {
            return sent;
        }
    }

    private static async Task UntilAborted(HttpContext context)
    {
        var aborted = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(aborted.SetResult);
        await aborted.Task;
    }

    private async Task<DeliveryOutcome> SendAsync(Uri endpoint, WebhookOptions? options = null)
    {
        using var sender = Sender(options ?? new WebhookOptions());
        return await sender.SendAsync(endpoint, "msg_1", Body, Secret, Cancelled);
    }

    private WebhookSender Sender(WebhookOptions options, TimeProvider? time = null) =>
        new(loopback.Http, Options.Create(options), time ?? TimeProvider.System);
}
