using System.Net.Http.Headers;
using System.Security.Authentication;
using Halftone.Model;

namespace Halftone.Fetch;

/// <summary>
/// Maps failures to error codes. The sentences are our own: an exception's message may quote what the other side sent,
/// and a login banner of an internal service must not be shown to the person who uploaded a URL.
/// </summary>
internal static class FetchFailure
{
    /// <summary>A failure of the connection, the request or the body.</summary>
    /// <param name="exception">The exception from the handler of <see cref="GuardedHttp"/>; not a cancellation by the caller.</param>
    /// <param name="isInBody">True once the response headers were complete.</param>
    public static FetchResult.Failed From(Exception exception, bool isInBody)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case SafeConnectException refused:
                    return Failed(refused.Error, refused.Message);
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                    return Handshake(e);
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError }:
                case HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError }:
                    return Failed(FetchError.BadResponse, "The answer was not valid HTTP.");
                case HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                case HttpIOException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                    return Failed(FetchError.BadResponse, "The response headers were too long.");
                case InvalidDataException:
                    return Failed(FetchError.BadResponse, "The body does not match its declared content coding.");
                case OperationCanceledException:
                    return Failed(FetchError.TlsTimedOut, "The TLS handshake did not finish in time.");
            }
        }

        return exception is HttpRequestException or IOException
            ? isInBody
                ? Failed(FetchError.BodyCut, "The connection ended before the body was complete.")
                : Failed(FetchError.ConnectionReset, "The connection ended before the response headers were complete.")
            : throw new InvalidOperationException("Not a failure of a request.", exception);
    }

    /// <summary>A response without a usable body.</summary>
    /// <param name="response">Its body is not read.</param>
    /// <param name="now">Base for a date in Retry-After.</param>
    /// <param name="maxRetryAfter">The upper limit for Retry-After.</param>
    public static FetchResult.Failed FromStatus(HttpResponseMessage response, DateTimeOffset now, TimeSpan maxRetryAfter)
    {
        var status = (int)response.StatusCode;
        // 501, 505 and 511 are permanent; unregistered 5xx codes come from proxies that could not reach the origin.
        var isRetryable = status is 408 or 425 or 429 or (>= 500 and not 501 and not 505 and not 511);
        return new FetchResult.Failed(
            FetchError.HttpStatus,
            isRetryable,
            $"The host answered with status {status}.",
            status,
            RetryAfter(response.Headers.RetryAfter, now, maxRetryAfter));
    }

    /// <summary>A failure with the usual value of Retryable.</summary>
    public static FetchResult.Failed Failed(FetchError error, string detail) => new(error, IsUsuallyRetryable(error), detail);

    private static FetchResult.Failed Handshake(Exception e) => e.InnerException is AuthenticationException refused
        ? Failed(FetchError.TlsFailed, TlsFault(refused))
        : Failed(FetchError.TlsFailed, "the connection ended within the TLS handshake.") with { Retryable = true };

    /// <summary>
    /// What is wrong with the certificate or the handshake. The platform says so in words of its own only, which are the names of the flags
    /// of
    /// <see cref="System.Net.Security.SslPolicyErrors"/> and
    /// <see cref="System.Security.Cryptography.X509Certificates.X509ChainStatusFlags"/>, of TLS alerts
    /// (RFC 8446, section 6) and of OpenSSL's reasons. One that is not known here is told as what it is: unknown.
    /// </summary>
    private static string TlsFault(AuthenticationException refused)
    {
        var said = refused.ToString();
        foreach (var (word, fault) in TlsFaults)
        {
            if (said.Contains(word, StringComparison.OrdinalIgnoreCase))
            {
                return fault;
            }
        }

        return "the TLS handshake failed, or the certificate is not valid.";
    }

    private static readonly (string Word, string Fault)[] TlsFaults =
    [
        ("NotTimeValid", "the site's certificate has expired, or is not valid yet."),
        ("RemoteCertificateNameMismatch", "the site's certificate is for another name."),
        ("PartialChain", "the site does not send the intermediate certificate that leads to a known authority."),
        ("UntrustedRoot", "the site's certificate is signed by itself, or by an authority that is not known."),
        ("Revoked", "the site's certificate was revoked."),
        ("RemoteCertificateNotAvailable", "the site sent no certificate."),
        ("RemoteCertificateChainErrors", "the site's certificate is not valid."),
        ("ProtocolVersion", "the site and this server know no common version of TLS; 1.2 and 1.3 are spoken here."),
        ("unsupported protocol", "the site and this server know no common version of TLS; 1.2 and 1.3 are spoken here."),
        ("protocol version", "the site and this server know no common version of TLS; 1.2 and 1.3 are spoken here."),
        ("no protocols available", "the site and this server know no common version of TLS; 1.2 and 1.3 are spoken here."),
        ("wrong version number", "the site does not speak TLS at this port."),
        ("packet length too long", "the site does not speak TLS at this port."),
        ("UnrecognizedName", "the site knows no certificate for this name."),
        ("HandshakeFailure", "the site and this server know no common cipher."),
        ("handshake failure", "the site and this server know no common cipher."),
        ("dh key too small", "the site's keys are too short."),
        ("ee key too small", "the site's keys are too short."),
    ];

    /// <summary>RFC 9110 section 10.2.3: seconds or a date; a date in the past means no wait.</summary>
    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? asked, DateTimeOffset now, TimeSpan most)
    {
        var wait = asked?.Delta ?? (asked?.Date is { } date ? date - now : null);
        return wait is null ? null : TimeSpan.FromTicks(Math.Clamp(wait.Value.Ticks, 0, most.Ticks));
    }

    private static bool IsUsuallyRetryable(FetchError error) => error is FetchError.NameLookupFailed
        or FetchError.ConnectRefused or FetchError.ConnectTimedOut or FetchError.ConnectFailed or FetchError.TlsTimedOut
        or FetchError.HeadersTimedOut or FetchError.ConnectionReset
        or FetchError.BodyTimedOut or FetchError.TooSlow or FetchError.BodyCut;
}
