using System.Text.Json;
using System.Text.Json.Serialization;

namespace Halftone.Webhooks;

/// <summary>What a webhook says: a request reached its end. Made once per delivery; every attempt sends the same bytes.</summary>
internal sealed record WebhookEvent
{
    /// <summary><c>request.completed</c>, <c>request.failed</c> or <c>request.cancelled</c>.</summary>
    [JsonPropertyOrder(-1)]
    public string Type => "request." + Status.ToLowerInvariant();

    public required Guid RequestId { get; init; }

    /// <summary>The final state in the API's words: COMPLETED, FAILED or CANCELLED.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Any other: a request that goes on has no event.</exception>
    public required string Status
    {
        get;
        init => field = value is "COMPLETED" or "FAILED" or "CANCELLED"
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "Not a final state.");
    }

    /// <summary>Absolute URL of the result CSV, which every final state has.</summary>
    public required string ResultUrl { get; init; }

    public required WebhookProgress Progress { get; init; }

    public required WebhookBytes Bytes { get; init; }

    /// <summary>When the request ended, UTC; not when it was told.</summary>
    public required DateTime Timestamp
    {
        get;
        // A local or unspecified time would be written without the Z that says UTC.
        init => field = value.Kind == DateTimeKind.Utc ? value : throw new ArgumentException("UTC is needed.", nameof(value));
    }

    /// <summary>The body as UTF-8 JSON, members in snake_case in the order above.</summary>
    public byte[] ToBody() => JsonSerializer.SerializeToUtf8Bytes(this, WebhookJson.Default.WebhookEvent);
}

/// <summary>Images of the request. After a cancel, completed and failed do not add up to the total.</summary>
/// <param name="Percent">Of images that are completed or failed, 0 to 100, rounded down; 100 for a request without images.</param>
internal sealed record WebhookProgress(long Total, long Completed, long Failed, int Percent)
{
    public static WebhookProgress Of(long total, long completed, long failed) =>
        new(total, completed, failed, total == 0 ? 100 : (int)((completed + failed) * 100 / total));
}

/// <summary>Sums over the completed images, in bytes.</summary>
/// <param name="SavedPercent">How much smaller the outputs are, in percent of the input, one decimal; 0 without input.</param>
internal sealed record WebhookBytes(long Input, long Output, double SavedPercent)
{
    public static WebhookBytes Of(long input, long output) =>
        new(input, output, input == 0 ? 0 : Math.Round(100.0 * (input - output) / input, 1));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WebhookEvent))]
internal sealed partial class WebhookJson : JsonSerializerContext;
