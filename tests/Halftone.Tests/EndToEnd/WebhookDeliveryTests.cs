using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Halftone.Tests.Servers;
using Halftone.Webhooks;

namespace Halftone.Tests.EndToEnd;

public abstract class WebhookDeliveryTests(Engine engine) : OnEachEngine(engine)
{
    private const string Csv = "Product Name,Input Image Urls\nA,\n";

    [Fact]
    public async Task The_webhook_url_of_an_upload_is_called_when_the_request_ends_under_the_instance_secret()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        var secret = WebhookSignature.NewSecret();
        await using var server = await StartAsync(null, ("Webhook:Secret", secret));
        var id = await server.UploadAsync(Csv, Cancelled, ("webhook_url", receiver.Url().AbsoluteUri));

        var (headers, body) = await receiver.NextAsync(Cancelled);
        var sent = JsonDocument.Parse(body).RootElement;
        Assert.Equal("request.completed", sent.GetProperty("type").GetString());
        Assert.Equal(id, sent.GetProperty("request_id").GetGuid());
        Assert.Equal(
            (await server.StatusAsync(id, Cancelled)).GetProperty("result_url").GetString(), sent.GetProperty("result_url").GetString());
        await ExpectAcceptedAsync(secret, headers, body);
    }

    [Fact]
    public async Task A_delivery_that_fails_is_tried_again_with_the_same_id_and_body_until_it_is_taken()
    {
        var calls = 0;
        await using var receiver = await WebhookReceiver.StartAsync(
            context =>
            {
                context.Response.StatusCode = Interlocked.Increment(ref calls) < 3 ? 500 : 200;
                return Task.CompletedTask;
            },
            Cancelled);
        await using var server = await HalftoneServer.StartAsync(
            Cancelled, null, ("Webhook:RetrySchedule:0", "00:00:00.010"), ("Webhook:RetrySchedule:1", "00:00:00.010"),
            ("Webhook:RetrySchedule:2", "00:00:00.010"), ("Queue:SweepInterval", "00:00:00.050"));
        var id = await server.UploadAsync(Csv, Cancelled, ("webhook_url", receiver.Url().AbsoluteUri));

        var received = new[]
        {
            await receiver.NextAsync(Cancelled), await receiver.NextAsync(Cancelled), await receiver.NextAsync(Cancelled),
        };
        Assert.Single(received.Select(r => r.Headers["webhook-id"]).Distinct());
        Assert.Single(received.Select(r => Encoding.UTF8.GetString(r.Body)).Distinct());
        await Eventually.TrueAsync(async () =>
            (await DeliveriesAsync(server, $"requests/{id}/deliveries")).Single().GetProperty("status").GetString() == "DELIVERED");
        var attempts = (await DeliveriesAsync(server, $"requests/{id}/deliveries"))
            .Single()
            .GetProperty("attempts")
            .EnumerateArray()
            .Select(a => a.GetProperty("http_status").GetInt32());
        Assert.Equal([500, 500, 200], attempts);
    }

    [Fact]
    public async Task A_registered_webhook_is_called_for_every_request_under_a_secret_of_its_own_and_removed_for_good()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var server = await StartAsync();
        var registered = await RegisterAsync(server, new { callback_url = receiver.Url().AbsoluteUri });
        Assert.Equal("Webhook registered successfully.", registered.GetProperty("message").GetString());
        var webhookId = registered.GetProperty("webhook_id").GetString()!;

        await server.WaitForEndAsync(await server.UploadAsync(Csv, Cancelled), Cancelled);
        var (headers, body) = await receiver.NextAsync(Cancelled);
        await ExpectAcceptedAsync(registered.GetProperty("secret").GetString()!, headers, body);
        Assert.Single((await server.Client.GetFromJsonAsync<JsonElement>("webhook", Cancelled)).GetProperty("webhooks").EnumerateArray());
        Assert.Single(await DeliveriesAsync(server, $"webhook/{webhookId}/deliveries"));

        using var removed = await server.Client.DeleteAsync($"webhook/{webhookId}", Cancelled);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await server.WaitForEndAsync(await server.UploadAsync(Csv, Cancelled), Cancelled);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM delivery", Cancelled));
    }

    [Fact]
    public async Task A_webhook_registered_after_its_request_has_ended_gets_the_event_at_once_and_a_replay_sends_it_again()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var server = await StartAsync();
        var id = await server.UploadAsync(Csv, Cancelled);
        await server.WaitForEndAsync(id, Cancelled);
        await ExpectProblemAsync(server, new { request_id = id }, HttpStatusCode.Conflict, "no_webhook");

        await RegisterAsync(server, new { callback_url = receiver.Url().AbsoluteUri, request_id = id });
        var first = await receiver.NextAsync(Cancelled);
        using var replay = await server.Client.PostAsJsonAsync("webhook", new { request_id = id, status = "Completed" }, Cancelled);
        Assert.Equal(HttpStatusCode.OK, replay.StatusCode);
        var second = await receiver.NextAsync(Cancelled);
        Assert.Equal(first.Headers["webhook-id"], second.Headers["webhook-id"]);
        Assert.Equal(first.Body, second.Body);

        await ExpectProblemAsync(server, new { request_id = id, status = "FAILED" }, HttpStatusCode.Conflict, "event_disagrees");
        await ExpectProblemAsync(server, new { request_id = Guid.Empty }, HttpStatusCode.NotFound, "unknown_request");
    }

    [Fact]
    public async Task An_endpoint_that_answers_410_is_not_called_again()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(410, Cancelled);
        await using var server = await StartAsync();
        var registered = await RegisterAsync(server, new { callback_url = receiver.Url().AbsoluteUri });
        await server.UploadAsync(Csv, Cancelled);
        await receiver.NextAsync(Cancelled);

        var path = $"webhook/{registered.GetProperty("webhook_id").GetString()}/deliveries";
        await Eventually.TrueAsync(
            async () => (await DeliveriesAsync(server, path)).Single().GetProperty("status").GetString() == "FAILED");
        var webhook = (await server.Client.GetFromJsonAsync<JsonElement>("webhook", Cancelled))
            .GetProperty("webhooks")
            .EnumerateArray()
            .Single();
        Assert.True(webhook.TryGetProperty("disabled_at", out _));
        await server.WaitForEndAsync(await server.UploadAsync(Csv, Cancelled), Cancelled);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM delivery", Cancelled));
    }

    [Theory]
    [InlineData("not a url")]
    [InlineData("ftp://shop.example/hook")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://10.0.0.1/hook")]
    [InlineData("http://[::1]/hook")]
    public async Task A_webhook_address_that_may_not_be_called_is_refused_when_it_is_given(string url)
    {
        await using var server = await StartAsync();
        await ExpectProblemAsync(server, new { callback_url = url }, HttpStatusCode.BadRequest, "invalid_callback_url");
        using var upload = await server.PostCsvAsync(Csv, Cancelled, ("webhook_url", url));
        Assert.Equal(HttpStatusCode.BadRequest, upload.StatusCode);
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM request", Cancelled));
    }

    [Fact]
    public async Task An_endpoint_that_never_answers_holds_up_no_other()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var slow = await WebhookReceiver.StartAsync(_ => released.Task, Cancelled);
        await using var quick = await WebhookReceiver.AnsweringAsync(200, Cancelled);
        await using var server = await StartAsync(null, ("Queue:DeliverPrefetch", "6"), ("Webhook:Timeout", "00:05:00"));
        for (var i = 0; i < 10; i++)
        {
            await server.UploadAsync(Csv, Cancelled, ("webhook_url", slow.Url().AbsoluteUri));
        }

        await Eventually.TrueAsync(() => slow.Received.Count == EndpointTurns.AtOnce);
        await server.UploadAsync(Csv, Cancelled, ("webhook_url", quick.Url().AbsoluteUri));
        await quick.NextAsync(Cancelled);

        Assert.Equal(EndpointTurns.AtOnce, slow.Received.Count);
        released.SetResult();
        for (var i = 0; i < 10; i++)
        {
            await slow.NextAsync(Cancelled);
        }

        Assert.Equal(10, slow.Received.Select(received => received.Headers["webhook-id"]).Distinct().Count());
    }

    [Fact]
    public async Task A_test_event_is_signed_sent_once_whatever_becomes_of_it_and_listed_without_a_request()
    {
        await using var receiver = await WebhookReceiver.AnsweringAsync(503, Cancelled);
        await using var server = await StartAsync(
            null, ("Webhook:RetrySchedule:0", "00:00:00.010"), ("Queue:SweepInterval", "00:00:00.050"));
        var registered = await RegisterAsync(server, new { callback_url = receiver.Url().AbsoluteUri });
        var webhook = $"webhook/{registered.GetProperty("webhook_id").GetString()}";
        for (var test = 1; test <= 22; test++)
        {
            using var answer = await server.Client.PostAsync($"{webhook}/ping", null, Cancelled);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var (headers, body) = await receiver.NextAsync(Cancelled);
            if (test == 1)
            {
                await ExpectAcceptedAsync(registered.GetProperty("secret").GetString()!, headers, body);
                Assert.Equal(
                    registered.GetProperty("webhook_id").GetString(),
                    JsonDocument.Parse(body).RootElement.GetProperty("webhook_id").GetString());
            }
        }

        await Eventually.TrueAsync(async () =>
            (await DeliveriesAsync(server, $"{webhook}/deliveries")).All(
                delivery => delivery.GetProperty("status").GetString() == "FAILED"));
        var tests = await DeliveriesAsync(server, $"{webhook}/deliveries");
        Assert.Equal(20, tests.Length);
        Assert.All(tests, delivery =>
        {
            Assert.False(delivery.TryGetProperty("request_id", out _));
            Assert.Equal(503, Assert.Single(delivery.GetProperty("attempts").EnumerateArray()).GetProperty("http_status").GetInt32());
        });
        using var removed = await server.Client.DeleteAsync(webhook, Cancelled);
        Assert.Equal(
            0, await server.CountAsync("SELECT (SELECT count(*) FROM delivery) + (SELECT count(*) FROM delivery_attempt)", Cancelled));
    }

    /// <summary>By the npm package standardwebhooks, which is not ours.</summary>
    private static async Task ExpectAcceptedAsync(string secret, IReadOnlyDictionary<string, string> headers, byte[] body) =>
        Assert.Equal(
            ["ok"],
            await Script.NodeAsync(
                "verify-webhooks.mjs", JsonSerializer.Serialize(new { secret, headers, body = Encoding.UTF8.GetString(body) }), Cancelled));

    private static async Task<JsonElement> RegisterAsync(HalftoneServer server, object body)
    {
        using var answer = await server.Client.PostAsJsonAsync("webhook", body, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
    }

    private static async Task ExpectProblemAsync(HalftoneServer server, object body, HttpStatusCode status, string code)
    {
        using var answer = await server.Client.PostAsJsonAsync("webhook", body, Cancelled);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(code, (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("code").GetString());
    }

    private static async Task<JsonElement[]> DeliveriesAsync(HalftoneServer server, string path) =>
        [.. (await server.Client.GetFromJsonAsync<JsonElement>(path, Cancelled)).GetProperty("deliveries").EnumerateArray()];
}

public sealed class WebhookDeliveryOnSqlite() : WebhookDeliveryTests(Engine.Sqlite);

public sealed class WebhookDeliveryOnPostgres() : WebhookDeliveryTests(Engine.Postgres);
