using Halftone.Model;

namespace Halftone.Webhooks;

/// <summary>The outcome of one attempt to deliver an event.</summary>
internal abstract record DeliveryOutcome
{
    private DeliveryOutcome() { }                 // closed: the three cases below are all there are

    /// <summary>The endpoint accepted it.</summary>
    /// <param name="HttpStatus">200 to 299.</param>
    public sealed record Delivered(int HttpStatus) : DeliveryOutcome;

    /// <summary>The endpoint answered 410: it wants no more events, neither this one nor any other.</summary>
    public sealed record Gone : DeliveryOutcome;

    /// <summary>
    /// Not delivered. Worth another attempt while the schedule has one, whatever the error, because names and firewalls
    /// change.
    /// </summary>
    /// <param name="Error">A <see cref="FetchError"/>, because webhooks use the same guarded connection; a redirect
    /// counts as a status too.</param>
    /// <param name="HttpStatus">The status with <see cref="FetchError.HttpStatus"/>, otherwise null.</param>
    /// <param name="RetryAfter">The wait that the endpoint asked for, 0 to <see cref="WebhookOptions.MaxRetryAfter"/>;
    /// null if it did not.</param>
    public sealed record Failed(FetchError Error, int? HttpStatus = null, TimeSpan? RetryAfter = null) : DeliveryOutcome;
}
