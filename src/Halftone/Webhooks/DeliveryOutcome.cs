using Halftone.Model;

namespace Halftone.Webhooks;

/// <summary>What came of one attempt to deliver an event.</summary>
internal abstract record DeliveryOutcome
{
    private DeliveryOutcome() { }                 // closed: the three cases below are all there are

    /// <summary>The endpoint took it.</summary>
    /// <param name="HttpStatus">200 to 299.</param>
    public sealed record Delivered(int HttpStatus) : DeliveryOutcome;

    /// <summary>The endpoint answered 410: it wants no event any more, neither this one again nor another.</summary>
    public sealed record Gone : DeliveryOutcome;

    /// <summary>Not delivered; worth another attempt while the schedule has one, whatever the error: names and firewalls change.</summary>
    /// <param name="Error">In the words of <see cref="FetchError"/>, because both go through the same door; a redirect is a status too.</param>
    /// <param name="HttpStatus">The status with <see cref="FetchError.HttpStatus"/>, else null.</param>
    /// <param name="RetryAfter">How long the endpoint asked to wait, 0 to <see cref="WebhookOptions.MaxRetryAfter"/>; null where it did not.</param>
    public sealed record Failed(FetchError Error, int? HttpStatus = null, TimeSpan? RetryAfter = null) : DeliveryOutcome;
}
