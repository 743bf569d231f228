using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Halftone.Webhooks;

/// <summary>The event of a request that has ended. Created once per delivery; every attempt sends the same bytes.</summary>
internal sealed record WebhookEvent
{
    /// <summary>Type of the event: `request.completed`, `request.failed` or `request.cancelled`.</summary>
    /// <example>request.completed</example>
    [AllowedValues("request.completed", "request.failed", "request.cancelled")]
    [JsonPropertyOrder(-1)]
    public string Type => "request." + Status.ToLowerInvariant();

    /// <summary>The request that ended.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required Guid RequestId { get; init; }

    /// <summary>The final status: COMPLETED, FAILED or CANCELLED.</summary>
    /// <example>COMPLETED</example>
    /// <exception cref="ArgumentOutOfRangeException">Any other status: a running request has no event.</exception>
    [AllowedValues("COMPLETED", "FAILED", "CANCELLED")]
    public required string Status
    {
        get;
        init => field = value is "COMPLETED" or "FAILED" or "CANCELLED"
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "Not a final state.");
    }

    /// <summary>Absolute URL of the result CSV, which exists for every final status.</summary>
    /// <example>https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv</example>
    public required string ResultUrl { get; init; }

    /// <summary>Number of images.</summary>
    public required WebhookProgress Progress { get; init; }

    /// <summary>Bytes saved.</summary>
    public required WebhookBytes Bytes { get; init; }

    /// <summary>Time at which the request ended, UTC; not the time of delivery.</summary>
    /// <example>2026-11-21T08:30:00Z</example>
    public required DateTime Timestamp
    {
        get;
        // A local or unspecified time would be written without the Z that marks UTC.
        init => field = value.Kind == DateTimeKind.Utc ? value : throw new ArgumentException("The time must be UTC.", nameof(value));
    }

    /// <summary>The body as UTF-8 JSON, with members in snake_case in the order above.</summary>
    public byte[] ToBody() => JsonSerializer.SerializeToUtf8Bytes(this, WebhookJson.Default.WebhookEvent);
}

/// <summary>A test event, so that an endpoint can check that it is reached and the signature matches. Sent once, on request.</summary>
internal sealed record WebhookPing
{
    /// <summary>Always `webhook.ping`.</summary>
    /// <example>webhook.ping</example>
    [AllowedValues("webhook.ping")]
    [JsonPropertyOrder(-1)]
#pragma warning disable CA1822 // A member of the body.
    public string Type => "webhook.ping";
#pragma warning restore CA1822

    /// <summary>The webhook to test.</summary>
    /// <example>0192f0c2-11d4-7c0e-9a53-fedcba987654</example>
    public required string WebhookId { get; init; }

    /// <summary>Time of the request, UTC.</summary>
    /// <example>2026-11-21T08:30:00Z</example>
    public required DateTime Timestamp { get; init; }

    /// <summary>The body as UTF-8 JSON.</summary>
    public byte[] ToBody() => JsonSerializer.SerializeToUtf8Bytes(this, WebhookJson.Default.WebhookPing);
}

/// <summary>Images of the request. After a cancel, completed and failed do not add up to the total.</summary>
/// <param name="Total" example="3">Images in the file.</param>
/// <param name="Completed" example="2">Stored images.</param>
/// <param name="Failed" example="1">Failed images.</param>
/// <param name="Percent" example="100">Completed or failed images in percent of all, 0 to 100, rounded down; 100 for a
/// request without images.</param>
internal sealed record WebhookProgress(long Total, long Completed, long Failed, int Percent)
{
    public static WebhookProgress Of(long total, long completed, long failed) =>
        new(total, completed, failed, total == 0 ? 100 : (int)((completed + failed) * 100 / total));
}

/// <summary>Total bytes of the completed images.</summary>
/// <param name="Input" example="1519308">Bytes of the source images.</param>
/// <param name="Output" example="421007">Bytes of their outputs.</param>
/// <param name="SavedPercent" example="72.3">Bytes saved, in percent of the input, with one decimal; 0 without input.</param>
internal sealed record WebhookBytes(long Input, long Output, double SavedPercent)
{
    public static WebhookBytes Of(long input, long output) =>
        new(input, output, input == 0 ? 0 : Math.Round(100.0 * (input - output) / input, 1));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WebhookEvent))]
[JsonSerializable(typeof(WebhookPing))]
internal sealed partial class WebhookJson : JsonSerializerContext;
