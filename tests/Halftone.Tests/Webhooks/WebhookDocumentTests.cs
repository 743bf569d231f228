using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Halftone.Model;
using Halftone.Tests.Fetch;
using Halftone.Tests.Servers;
using Halftone.Webhooks;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Webhooks;

/// <summary>What docs/webhook.md says is so.</summary>
public sealed partial class WebhookDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Script.Repository, "docs", "webhook.md"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void The_example_event_is_what_is_sent() =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Snippet("json")), JsonNode.Parse(SampleEvent.Completed.ToBody())));

    [Fact]
    public void The_retry_times_are_the_defaults()
    {
        var waits = new WebhookOptions().RetryDelays.Select(wait => wait switch
        {
            { TotalHours: >= 1 } => $"{wait.TotalHours} h",
            { TotalMinutes: >= 1 } => $"{wait.TotalMinutes} min",
            _ => $"{wait.TotalSeconds} s",
        });
        Assert.Contains(string.Join(", ", waits), Document, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_node_receiver_takes_an_event_and_refuses_one_of_another_secret()
    {
        var secret = WebhookSignature.NewSecret();
        var port = FreePort.Find();
        using var node = Script.StartNode(["--input-type=module", "--eval", Snippet("js")], ("WEBHOOK_SECRET", secret), ("PORT", $"{port}"));
        try
        {
            Assert.Equal("listening", await node.StandardOutput.ReadLineAsync(Cancelled));
            await using var network = FetchKit.Open();
            using var sender = new WebhookSender(network.Http, Options.Create(new WebhookOptions()), TimeProvider.System);
            var endpoint = new Uri($"http://127.0.0.1:{port}/");

            var genuine = await sender.SendAsync(endpoint, "msg_1", SampleEvent.Completed.ToBody(), secret, Cancelled);
            var forged = await sender.SendAsync(endpoint, "msg_1", SampleEvent.Completed.ToBody(), WebhookSignature.NewSecret(), Cancelled);

            Assert.Equal(new DeliveryOutcome.Delivered(204), genuine);
            Assert.Equal(new DeliveryOutcome.Failed(FetchError.HttpStatus, 401), forged);
            Assert.Equal(
                $"{SampleEvent.Completed.RequestId} COMPLETED {SampleEvent.Completed.ResultUrl}",
                await node.StandardOutput.ReadLineAsync(Cancelled));
        }
        finally
        {
            node.Kill();
        }
    }

    [Fact]
    public async Task The_python_check_accepts_what_is_ours_and_nothing_else()
    {
        var lines = Cases().Select(sent => JsonSerializer.Serialize(new
        {
            secret = sent.Secret,
            headers = new Dictionary<string, string>
            {
                ["webhook-id"] = sent.Id,
                ["webhook-timestamp"] = sent.Timestamp,
                ["webhook-signature"] = sent.Signatures,
            },
            body = Encoding.UTF8.GetString(sent.Body),
        }));

        var verdicts = await Script.PythonAsync("verify-webhooks.py", Snippet("python"), string.Join('\n', lines), Cancelled);

        Assert.Equal(Cases().Select(sent => sent.IsGenuine ? "ok" : "refused"), verdicts);
    }

    [Fact]
    public void The_csharp_check_accepts_what_is_ours_and_nothing_else() =>
        Assert.All(Cases(), sent =>
            Assert.Equal(sent.IsGenuine, DocumentedReceiver.Accepts(sent.Secret, sent.Id, sent.Timestamp, sent.Signatures, sent.Body)));

    [Fact]
    public void The_csharp_check_is_the_one_that_was_tried()
    {
        var source = File.ReadAllText(Path.Combine(Script.Repository, "tests/Halftone.Tests/Webhooks/DocumentedReceiver.cs"));
        var tried = source[source.IndexOf("    private static bool IsGenuine", StringComparison.Ordinal)..source.LastIndexOf('}')];
        Assert.Equal(Snippet("csharp"), tried.Replace("    private static", "    static", StringComparison.Ordinal).Replace("\n    ", "\n", StringComparison.Ordinal)[4..]);
    }

    private static IReadOnlyList<(string Secret, string Id, string Timestamp, string Signatures, byte[] Body, bool IsGenuine)> Cases()
    {
        var now = TimeProvider.System.GetUtcNow();
        var secret = WebhookSignature.NewSecret();
        var body = SampleEvent.Completed.ToBody();
        string Signed(DateTimeOffset time, params string[] secrets) => WebhookSignature.Sign(secrets, "msg_1", time, body);
        (string, string, string, string, byte[], bool) Sent(DateTimeOffset time, string signatures, byte[]? changed = null, bool genuine = false) =>
            (secret, "msg_1", WebhookSignature.TimestampValue(time), signatures, changed ?? body, genuine);

        return
        [
            Sent(now, Signed(now, secret), genuine: true),
            Sent(now, Signed(now, WebhookSignature.NewSecret(), secret), genuine: true),
            Sent(now, Signed(now, WebhookSignature.NewSecret())),
            Sent(now, Signed(now, secret), changed: [.. body, (byte)' ']),
            Sent(now.AddSeconds(1), Signed(now, secret)),
            Sent(now.AddMinutes(-6), Signed(now.AddMinutes(-6), secret)),
            Sent(now, ""),
        ];
    }

    /// <summary>The first block of a language.</summary>
    private static string Snippet(string language) =>
        Blocks().Matches(Document).First(block => block.Groups["language"].Value == language).Groups["code"].Value;

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Blocks();
}
