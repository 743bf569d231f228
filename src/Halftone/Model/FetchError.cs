using System.Collections.Frozen;
using System.Text.Json;

namespace Halftone.Model;

/// <summary>
/// Why no body came: the stage and what went wrong in it. A closed list; customers see the word of
/// <see cref="FetchErrors"/>, and each says whether trying again can help.
/// </summary>
internal enum FetchError
{
    /// <summary>No absolute URL with a host. A retry does not help.</summary>
    InvalidUrl = 1,

    /// <summary>Neither http nor https, or a redirect to such. A retry does not help.</summary>
    SchemeForbidden,

    /// <summary>A port that is not on the list of <c>Fetch:Ports</c>. A retry does not help.</summary>
    PortForbidden,

    /// <summary>The host is, or its name leads to, an address that is not of the public internet. A retry does not help.</summary>
    AddressForbidden,

    /// <summary>The name does not exist, or has no address. A retry does not help.</summary>
    NameNotResolved,

    /// <summary>The name servers gave no answer or an error. A retry may help.</summary>
    NameLookupFailed,

    /// <summary>Nothing listens at the host's port. A retry may help.</summary>
    ConnectRefused,

    /// <summary>No connection within <c>Fetch:ConnectTimeout</c>. A retry may help.</summary>
    ConnectTimedOut,

    /// <summary>No connection for another reason, such as no route to the host. A retry may help.</summary>
    ConnectFailed,

    /// <summary>The TLS handshake broke off, or the certificate is not valid for the host. A retry does not help.</summary>
    TlsFailed,

    /// <summary>The TLS handshake did not end within <c>Fetch:ConnectTimeout</c>. A retry may help.</summary>
    TlsTimedOut,

    /// <summary>Connected, but no complete response headers within <c>Fetch:AttemptTimeout</c>. A retry may help.</summary>
    HeadersTimedOut,

    /// <summary>The connection was closed or reset before the response headers were complete. A retry may help.</summary>
    ConnectionReset,

    /// <summary>No HTTP response: bad status line, headers, chunks or content coding, or headers beyond 32 KiB. A retry does not help.</summary>
    BadResponse,

    /// <summary>A status other than 200 with a body; the number stands beside it. A retry may help after 408, 425, 429 and most of 5xx.</summary>
    HttpStatus,

    /// <summary>More than 5 redirects, or a circle. A retry does not help.</summary>
    TooManyRedirects,

    /// <summary>A redirect without a usable address. A retry does not help.</summary>
    RedirectInvalid,

    /// <summary>The body is, or says it is, longer than <c>Fetch:MaxBytes</c>. A retry does not help.</summary>
    TooLarge,

    /// <summary>A body of zero bytes. A retry does not help.</summary>
    EmptyBody,

    /// <summary>The body did not end within <c>Fetch:AttemptTimeout</c>. A retry may help.</summary>
    BodyTimedOut,

    /// <summary>The body came slower than <c>Fetch:MinBytesPerSecond</c>. A retry may help.</summary>
    TooSlow,

    /// <summary>The connection ended before the body was complete. A retry may help.</summary>
    BodyCut,

    /// <summary>Not tried, because the host could not be reached just before. A retry may help while its outage is young.</summary>
    HostUnavailable,
}

/// <summary>The error codes on the wire, in the database and in the result CSV.</summary>
internal static class FetchErrors
{
    private static readonly FrozenDictionary<FetchError, string> Codes =
        Enum.GetValues<FetchError>().ToFrozenDictionary(error => error, error => JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ToString()));

    extension(FetchError error)
    {
        /// <summary>Such as <c>connect_timed_out</c>.</summary>
        public string Code => Codes[error];
    }
}
