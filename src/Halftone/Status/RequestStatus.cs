using System.Text.Json.Serialization;

namespace Halftone.Status;

/// <summary>The status answer. Times are UTC, sizes bytes.</summary>
internal sealed record RequestStatus
{
    public required Guid RequestId { get; init; }

    /// <summary>The uploaded file's name.</summary>
    public required string FileName { get; init; }

    /// <summary>PENDING, PROCESSING, COMPLETED (at least one image done, or none asked for), FAILED (none done) or CANCELLED.</summary>
    public required string Status { get; init; }

    public required StatusProgress Progress { get; init; }

    public required StatusBytes Bytes { get; init; }

    /// <summary>Why images failed, the most frequent first.</summary>
    public required IReadOnlyList<StatusErrorCount> Errors { get; init; }

    /// <summary>Where the result CSV is; absent until there is one.</summary>
    public string? ResultUrl { get; init; }

    /// <summary>A page of the product rows, in the order of the file.</summary>
    public required IReadOnlyList<StatusProduct> Products { get; init; }

    /// <summary>Ask again with <c>cursor</c> set to this for the next page; absent on the last.</summary>
    public string? NextCursor { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }
}

internal sealed record StatusProgress
{
    /// <summary>Images in the file.</summary>
    public required long Total { get; init; }

    public required long Completed { get; init; }

    public required long Failed { get; init; }

    /// <summary>Of images that are completed or failed, 0 to 100, rounded down; 100 for a file without images.</summary>
    public required int Percent { get; init; }

    /// <summary>Seconds to the end at the pace so far; absent before the first image and after the last.</summary>
    public long? EtaSeconds { get; init; }

    public static StatusProgress Of(long total, long completed, long failed) => new()
    {
        Total = total,
        Completed = completed,
        Failed = failed,
        Percent = total == 0 ? 100 : (int)(100 * (completed + failed) / total),
    };
}

internal sealed record StatusBytes
{
    /// <summary>Sum of the source images that were completed.</summary>
    public required long Input { get; init; }

    /// <summary>Sum of their outputs.</summary>
    public required long Output { get; init; }

    /// <summary>How much smaller the outputs are, in percent of the input, one decimal.</summary>
    public required double SavedPercent { get; init; }

    public static StatusBytes Of(long input, long output) => new()
    {
        Input = input,
        Output = output,
        SavedPercent = input == 0 ? 0 : Math.Round(100.0 * (input - output) / input, 1),
    };
}

internal sealed record StatusErrorCount
{
    public required string Code { get; init; }

    /// <summary>Images that failed with it.</summary>
    public required long Count { get; init; }

    /// <summary>What it means and what to do, in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>The hosts it happened at, the most frequent first; 20 at most.</summary>
    public required IReadOnlyList<StatusHostCount> Hosts { get; init; }
}

internal sealed record StatusHostCount(string Host, long Count);

internal sealed record StatusProduct
{
    /// <summary>The line of the CSV, from 1.</summary>
    public required long Line { get; init; }

    /// <summary>As written in the file.</summary>
    public required string SerialNumber { get; init; }

    /// <summary>As written in the file.</summary>
    public required string ProductName { get; init; }

    public required IReadOnlyList<StatusImage> Images { get; init; }
}

internal sealed record StatusImage
{
    public required string InputUrl { get; init; }

    public string? OutputUrl { get; init; }

    /// <summary>PENDING, PROCESSING, COMPLETED or FAILED.</summary>
    public required string Status { get; init; }

    public StatusImageError? Error { get; init; }

    public long? InputBytes { get; init; }

    public long? OutputBytes { get; init; }

    /// <summary>True where the source was stored as it is because compressing would not have made it smaller.</summary>
    public bool? KeptOriginal { get; init; }
}

internal sealed record StatusImageError(string Code, string Message, int? HttpStatus);

// One options object for the answers and for the lines and events that are written by hand.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RequestStatus))]
[JsonSerializable(typeof(RequestList))]
[JsonSerializable(typeof(Halftone.Results.ImageLine))]
[JsonSerializable(typeof(Halftone.Intake.UploadChecked))]
[JsonSerializable(typeof(System.Text.Json.JsonElement))]
[JsonSerializable(typeof(Halftone.Webhooks.WebhookBody))]
[JsonSerializable(typeof(Halftone.Webhooks.WebhookRegistered))]
[JsonSerializable(typeof(Halftone.Webhooks.WebhookReplayed))]
[JsonSerializable(typeof(Halftone.Webhooks.WebhookList))]
[JsonSerializable(typeof(Halftone.Webhooks.DeliveryList))]
[JsonSerializable(typeof(Halftone.Intake.UploadAccepted))]
[JsonSerializable(typeof(Halftone.Health.HealthAnswer))]
[JsonSerializable(typeof(Halftone.Intake.UploadProblem[]))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))]
internal sealed partial class ApiJson : JsonSerializerContext;
