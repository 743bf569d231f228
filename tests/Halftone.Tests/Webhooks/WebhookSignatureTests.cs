using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Tests.Servers;
using Halftone.Webhooks;

namespace Halftone.Tests.Webhooks;

public sealed class WebhookSignatureTests
{
    /// <summary>The example that the Standard Webhooks libraries share as their test vector.</summary>
    private const string VectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static readonly DateTimeOffset VectorTime = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    [Fact]
    public void The_published_vector_gives_the_published_signature() =>
        Assert.Equal(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Sign([VectorSecret], "msg_p5jXN8AQM9LWM0D4loKWxJek", VectorTime, """{"test": 2432232314}"""u8));

    [Fact]
    public void A_signature_is_the_hmac_of_id_timestamp_and_body_for_any_of_them()
    {
        Prop.ForAll<Guid, uint, byte[]>((id, seconds, body) =>
        {
            var key = SHA256.HashData(body);
            byte[] signed = [.. Encoding.ASCII.GetBytes($"msg_{id}.{seconds}."), .. body];
            var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
            return expected == WebhookSignature.Sign(
                ["whsec_" + Convert.ToBase64String(key)], $"msg_{id}", DateTimeOffset.FromUnixTimeSeconds(seconds).AddMilliseconds(999),
                body);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_secret_gives_its_own_signature_separated_by_a_space()
    {
        var (old, young) = (WebhookSignature.NewSecret(), WebhookSignature.NewSecret());
        var both = WebhookSignature.Sign([old, young], "msg_1", VectorTime, "{}"u8);
        Assert.Equal(
            WebhookSignature.Sign([old], "msg_1", VectorTime, "{}"u8) + " " + WebhookSignature.Sign([young], "msg_1", VectorTime, "{}"u8),
            both);
    }

    [Theory]
    [InlineData("")]
    [InlineData("msg.1")]
    public void A_message_id_that_would_blur_what_was_signed_is_refused(string id) =>
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign([VectorSecret], id, VectorTime, "{}"u8));

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_secret_has_24_to_64_bytes(int bytes, bool allowed) =>
        Assert.Equal(allowed, WebhookSignature.IsSecret("whsec_" + Convert.ToBase64String(new byte[bytes])));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8I LPZIo2LaLaSw")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_")]
    public void Anything_else_is_no_secret(string? secret) => Assert.False(WebhookSignature.IsSecret(secret));

    [Fact]
    public void A_refused_secret_is_not_repeated_in_the_error()
    {
        var error = Assert.Throws<ArgumentException>(() => WebhookSignature.Sign(["hunter2"], "msg_1", VectorTime, "{}"u8));
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void New_secrets_are_valid_and_differ()
    {
        var secrets = Enumerable.Range(0, 100).Select(_ => WebhookSignature.NewSecret()).ToHashSet();
        Assert.Equal(100, secrets.Count);
        Assert.All(secrets, secret => Assert.True(WebhookSignature.IsSecret(secret)));
    }

    [Fact]
    public void The_derived_secret_of_a_webhook_never_changes()
    {
        // Computed once with Python's hmac module, step by step after RFC 5869. Receivers hold secrets made this way: a
        // change of this value locks all of them out.
        Assert.Equal(
            "whsec_oaFAZjL1SpyokDJk6DsN/mIjeC8AIwG4f6l9S77TbjI=",
            WebhookSignature.DeriveSecret(VectorSecret, "0192f0c1-7a3e-7bbb-8c4d-0123456789ab"));
    }

    [Fact]
    public void Each_webhook_and_each_instance_has_its_own_derived_secret()
    {
        var (one, other) = (WebhookSignature.NewSecret(), WebhookSignature.NewSecret());
        string[] derived =
        [
            WebhookSignature.DeriveSecret(one, "1"), WebhookSignature.DeriveSecret(one, "2"), WebhookSignature.DeriveSecret(one, "11"),
            WebhookSignature.DeriveSecret(other, "1"), one, other,
        ];
        Assert.Equal(derived.Length, derived.Distinct().Count());
        Assert.All(derived, secret => Assert.True(WebhookSignature.IsSecret(secret)));
    }

    [Fact]
    public async Task The_reference_library_accepts_what_we_sign_and_refuses_what_was_changed()
    {
        var now = TimeProvider.System.GetUtcNow();
        var body = SampleEvent.Completed.ToBody();
        var secret = WebhookSignature.DeriveSecret(WebhookSignature.NewSecret(), "7");
        var rotated = WebhookSignature.Sign([WebhookSignature.NewSecret(), secret], "msg_1", now, body);
        string[] cases =
        [
            Line(secret, "msg_1", now, body),
            Line(secret, "msg_1", now, body, signature: rotated),
            Line(secret, "msg_1", now, body, sent: [.. body[..^1], (byte)' ', (byte)'}']),
            Line(secret, "msg_1", now, body, sentId: "msg_2"),
            Line(WebhookSignature.NewSecret(), "msg_1", now, body, signature: WebhookSignature.Sign([secret], "msg_1", now, body)),
            Line(secret, "msg_1", now.AddMinutes(-6), body),
            Line(secret, "msg_1", now.AddMinutes(6), body),
        ];

        var verdicts = await Script.NodeAsync("verify-webhooks.mjs", string.Join('\n', cases), TestContext.Current.CancellationToken);

        const string wrong = "No matching signature found";
        Assert.Equal(["ok", "ok", wrong, wrong, wrong, "Message timestamp too old", "Message timestamp too new"], verdicts);
    }

    [Fact]
    public async Task The_reference_library_accepts_any_text_under_any_key()
    {
        var now = TimeProvider.System.GetUtcNow();
        var lines = new List<string>();
        Prop.ForAll<NonNull<string>, Guid>((text, id) =>
        {
            // Through UTF-8 and back: a lone surrogate cannot be sent.
            var body = Encoding.UTF8.GetBytes(text.Get);
            lines.Add(Line(WebhookSignature.NewSecret(), $"msg_{id}", now, body));
        }).QuickCheckThrowOnFailure();

        var verdicts = await Script.NodeAsync("verify-webhooks.mjs", string.Join('\n', lines), TestContext.Current.CancellationToken);

        Assert.Equal(lines.Count, verdicts.Length);
        Assert.All(verdicts, verdict => Assert.Equal("ok", verdict));
    }

    /// <summary>A line for verify-webhooks.mjs: signed rightly, then sent with what a case changes.</summary>
    private static string Line(string secret, string id, DateTimeOffset time, byte[] body, byte[]? sent =
        null, string? sentId = null, string? signature = null) =>
        JsonSerializer.Serialize(new
        {
            secret,
            headers = new Dictionary<string, string>
            {
                ["webhook-id"] = sentId ?? id,
                ["webhook-timestamp"] = WebhookSignature.TimestampValue(time),
                ["webhook-signature"] = signature ?? WebhookSignature.Sign([secret], id, time, body),
            },
            body = Encoding.UTF8.GetString(sent ?? body),
        });
}
