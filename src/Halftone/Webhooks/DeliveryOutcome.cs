using System.Text.Json;

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

    /// <summary>Not delivered; worth another attempt while the schedule has one.</summary>
    /// <param name="HttpStatus">What the endpoint answered, where it did.</param>
    /// <param name="RetryAfter">How long the endpoint asked to wait, 0 to <see cref="WebhookOptions.MaxRetryAfter"/>; null where it did not.</param>
    public sealed record Failed(DeliveryError Error, int? HttpStatus = null, TimeSpan? RetryAfter = null) : DeliveryOutcome;
}

/// <summary>Why an event was not delivered. A closed list; users see the word of <see cref="DeliveryErrors.Code"/>.</summary>
internal enum DeliveryError
{
    /// <summary>The endpoint's host is, or its name leads to, an address or port that is not called.</summary>
    AddressForbidden = 1,

    /// <summary>The name does not exist, has no address, or the name servers did not answer.</summary>
    NameNotResolved,

    /// <summary>No TCP connection.</summary>
    ConnectFailed,

    /// <summary>The TLS handshake broke off, or the certificate is not valid for the host.</summary>
    TlsFailed,

    /// <summary>No complete response headers within <see cref="WebhookOptions.Timeout"/>.</summary>
    TimedOut,

    /// <summary>The connection ended early, or what came was not HTTP.</summary>
    BadResponse,

    /// <summary>A 3xx, which is not followed: the new place did not ask for our events.</summary>
    Redirected,

    /// <summary>Any other status outside 200 to 299; the number stands beside it.</summary>
    HttpStatus,
}

/// <summary>The error codes on the wire and in the database.</summary>
internal static class DeliveryErrors
{
    extension(DeliveryError error)
    {
        /// <summary>Such as <c>timed_out</c>.</summary>
        public string Code => JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ToString());
    }
}
