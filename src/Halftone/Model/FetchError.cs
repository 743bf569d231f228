using System.Collections.Frozen;
using System.Text.Json;

namespace Halftone.Model;

/// <summary>
/// The reason why no body was received: stage and cause. A closed list; customers see the codes of
/// <see cref="FetchErrors"/>, and each says whether retrying can help.
/// </summary>
internal enum FetchError
{
    /// <summary>No absolute URL with a host. A retry does not help.</summary>
    InvalidUrl = 1,

    /// <summary>Neither http nor https, or a redirect to another scheme. A retry does not help.</summary>
    SchemeForbidden,

    /// <summary>A port that is not in <c>Fetch:Ports</c>. A retry does not help.</summary>
    PortForbidden,

    /// <summary>The host is, or resolves to, an address outside the public internet. A retry does not help.</summary>
    AddressForbidden,

    /// <summary>The name does not exist, or has no address. A retry does not help.</summary>
    NameNotResolved,

    /// <summary>The name servers did not answer, or answered with an error. A retry may help.</summary>
    NameLookupFailed,

    /// <summary>No server is listening on the host's port. A retry may help.</summary>
    ConnectRefused,

    /// <summary>No connection within <c>Fetch:ConnectTimeout</c>. A retry may help.</summary>
    ConnectTimedOut,

    /// <summary>No connection for another reason, such as no route to the host. A retry may help.</summary>
    ConnectFailed,

    /// <summary>The TLS handshake failed, or the certificate is not valid for the host. A retry does not help.</summary>
    TlsFailed,

    /// <summary>The TLS handshake did not finish within <c>Fetch:ConnectTimeout</c>. A retry may help.</summary>
    TlsTimedOut,

    /// <summary>Connected, but no complete response headers within <c>Fetch:AttemptTimeout</c>. A retry may help.</summary>
    HeadersTimedOut,

    /// <summary>The connection was closed or reset before the response headers were complete. A retry may help.</summary>
    ConnectionReset,

    /// <summary>
    /// Not a valid HTTP response: bad status line, headers, chunks or content coding, or headers larger than 32 KiB. A
    /// retry does not help.
    /// </summary>
    BadResponse,

    /// <summary>
    /// A status other than 200 with a body, recorded with the error. A retry may help after 408, 425, 429 and most of
    /// 5xx.
    /// </summary>
    HttpStatus,

    /// <summary>More than 5 redirects, or a loop. A retry does not help.</summary>
    TooManyRedirects,

    /// <summary>A redirect without a valid URL. A retry does not help.</summary>
    RedirectInvalid,

    /// <summary>The body is longer than <c>Fetch:MaxBytes</c>, or is declared to be. A retry does not help.</summary>
    TooLarge,

    /// <summary>An empty body. A retry does not help.</summary>
    EmptyBody,

    /// <summary>The body did not finish within <c>Fetch:AttemptTimeout</c>. A retry may help.</summary>
    BodyTimedOut,

    /// <summary>The body was slower than <c>Fetch:MinBytesPerSecond</c>. A retry may help.</summary>
    TooSlow,

    /// <summary>The connection ended before the body was complete. A retry may help.</summary>
    BodyCut,

    /// <summary>Not tried, because the host could not be reached recently. A retry may help early in its outage.</summary>
    HostUnavailable,
}

/// <summary>The error codes in the API, the database and the result CSV.</summary>
internal static class FetchErrors
{
    private static readonly FrozenDictionary<FetchError, string> Codes =
        Enum.GetValues<FetchError>().ToFrozenDictionary(
            error => error,
            error => JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ToString()));

    extension(FetchError error)
    {
        /// <summary>Code such as <c>connect_timed_out</c>.</summary>
        public string Code => Codes[error];
    }
}
