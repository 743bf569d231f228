using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

/// <summary>Section <c>Webhook</c>: how events are signed and how long their delivery is tried.</summary>
internal sealed class WebhookOptions : IValidatableObject
{
    /// <summary>The delays of the Standard Webhooks specification: ten attempts over 75 h 35 min.</summary>
    private static readonly TimeSpan[] DefaultRetrySchedule =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>
    /// Signs deliveries to the <c>webhook_url</c> of an upload, and every registered webhook's own secret is derived
    /// from it: <c>whsec_</c> and the base64 of 24 to 64 bytes. Default: empty, which generates one at the first start
    /// and stores it.
    /// </summary>
    public string Secret { get; set; } = "";

    /// <summary>Timeout of one attempt, from connect to the last response header; 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:05:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Delays before the second and later attempts, 0 to 7 days; unset means 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
    /// 20 h, 24 h (written <c>1.00:00:00</c>). A list replaces these.
    /// </summary>
    // Null instead of a default list, because the configuration binder appends to an existing list.
    public TimeSpan[]? RetrySchedule { get; set; }

    /// <summary>Upper limit for <c>Retry-After</c>; 24 h.</summary>
    internal TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary><see cref="RetrySchedule"/> or the default.</summary>
    internal IReadOnlyList<TimeSpan> RetryDelays => RetrySchedule is { Length: > 0 } ? RetrySchedule : DefaultRetrySchedule;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Secret.Length > 0 && !WebhookSignature.IsSecret(Secret))
        {
            // The value is a secret, so it is not repeated.
            yield return new ValidationResult(
                "Webhook:Secret must be 'whsec_' and the base64 of 24 to 64 bytes, or empty.",
                [nameof(Secret)]);
        }

        foreach (var delay in RetryDelays.Where(delay => delay < TimeSpan.Zero || delay > TimeSpan.FromDays(7)))
        {
            yield return new ValidationResult($"Webhook:RetrySchedule: {delay} must be 0 to 7 days.", [nameof(RetrySchedule)]);
        }
    }
}

/// <summary>Generated from the annotations and <see cref="WebhookOptions.Validate"/>.</summary>
[OptionsValidator]
internal sealed partial class WebhookOptionsValidator : IValidateOptions<WebhookOptions>;
