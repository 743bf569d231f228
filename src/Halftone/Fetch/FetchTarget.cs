using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Text;
using Halftone.Model;

namespace Halftone.Fetch;

/// <summary>One hop: a URL that may be requested, and the credentials that belong to it.</summary>
internal sealed class FetchTarget
{
    /// <summary>Maximum length of a redirect URL in characters. Browsers stop at 2 MB; no image URL is longer than this.</summary>
    private const int MaxLocationLength = 8 << 10;

    private readonly AuthenticationHeaderValue? credentials;

    private FetchTarget(Uri url, AuthenticationHeaderValue? credentials, bool isDowngraded)
    {
        Url = url;
        this.credentials = credentials;
        IsDowngraded = isDowngraded;
        HostKey = $"{url.IdnHost.TrimEnd('.')}:{url.Port}";
    }

    /// <summary>Without credentials and fragment.</summary>
    public Uri Url { get; }

    /// <summary>True once a redirect led from https to http: from then on anyone on the path could read a secret.</summary>
    public bool IsDowngraded { get; }

    /// <summary>The key of the host in <see cref="HostLimiter"/>: name and port.</summary>
    public string HostKey { get; }

    /// <summary>The reason not to fetch this URL, judged by its text; null if it may be tried.</summary>
    public static FetchError? Refuse(Uri url)
    {
        if (!url.IsAbsoluteUri)
        {
            return FetchError.InvalidUrl;
        }

        if (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
        {
            return FetchError.SchemeForbidden;
        }

        return url.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6 && HasName(url)
            ? null
            : FetchError.InvalidUrl;
    }

    /// <summary>The URL of a row.</summary>
    /// <param name="url">A URL that passed <see cref="Refuse"/>.</param>
    public static FetchTarget First(Uri url) => new(WithoutCredentials(url), CredentialsOf(url), isDowngraded: false);

    /// <summary>The target of a redirect from this one. Credentials are kept only for the same scheme, host and port.</summary>
    public bool TryFollow(string? location, [NotNullWhen(true)] out FetchTarget? next, [NotNullWhen(false)] out FetchError? refused)
    {
        next = null;
        if (string.IsNullOrEmpty(location) || location.Length > MaxLocationLength || !StrangersUrl.TryFollow(Url, location, out var url))
        {
            refused = FetchError.RedirectInvalid;
            return false;
        }

        refused = Refuse(url);
        if (refused is not null)
        {
            refused = refused == FetchError.InvalidUrl ? FetchError.RedirectInvalid : refused;
            return false;
        }

        var isSameOrigin = url.Scheme == Url.Scheme
            && url.Port == Url.Port
            && string.Equals(url.IdnHost, Url.IdnHost, StringComparison.OrdinalIgnoreCase);
        var isDowngraded = IsDowngraded || (Url.Scheme == Uri.UriSchemeHttps && url.Scheme == Uri.UriSchemeHttp);
        next = new FetchTarget(WithoutCredentials(url), CredentialsOf(url) ?? (isSameOrigin ? credentials : null), isDowngraded);
        return true;
    }

    /// <summary>The request for this hop, with the headers and credentials of this host.</summary>
    public HttpRequestMessage NewRequest(Dictionary<string, Dictionary<string, string>> hostHeaders)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Url);
        if (IsDowngraded)
        {
            return request;
        }

        if (hostHeaders.TryGetValue(Url.IdnHost.TrimEnd('.'), out var headers))
        {
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (credentials is not null)
        {
            request.Headers.Authorization = credentials;
        }

        return request;
    }

    /// <summary>
    /// True if the host has a form that a name server can be asked for. For some hosts that pass as URLs, .NET or its
    /// client throws when that form is needed.
    /// </summary>
    private static bool HasName(Uri url)
    {
        try
        {
            return url.IdnHost.Trim('.').Length > 0 && Uri.CheckHostName(url.IdnHost) != UriHostNameType.Unknown;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }

    private static AuthenticationHeaderValue? CredentialsOf(Uri url) => url.UserInfo.Length == 0
        ? null
        : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo))));

    private static Uri WithoutCredentials(Uri url) => url.UserInfo.Length == 0 && url.Fragment.Length == 0
        ? url
        : new Uri(url.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped));
}
