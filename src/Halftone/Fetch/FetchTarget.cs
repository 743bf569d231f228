using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Text;
using Halftone.Model;

namespace Halftone.Fetch;

/// <summary>One hop: a URL that may be asked for, and the credentials that belong to it.</summary>
internal sealed class FetchTarget
{
    /// <summary>Longest redirect address in characters; browsers stop at 2 MB, no image's address is longer than this.</summary>
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

    /// <summary>True once a redirect led from https to http: from there on everybody on the way could read a secret.</summary>
    public bool IsDowngraded { get; }

    /// <summary>What <see cref="HostLimiter"/> knows the host by: name and port.</summary>
    public string HostKey { get; }

    /// <summary>Why this URL is not for fetching, as far as its text tells; null where it may be tried.</summary>
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

        return url.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6 && HasName(url) ? null : FetchError.InvalidUrl;
    }

    /// <summary>The URL of a row.</summary>
    /// <param name="url">One that <see cref="Refuse"/> lets through.</param>
    public static FetchTarget First(Uri url) => new(WithoutCredentials(url), CredentialsOf(url), isDowngraded: false);

    /// <summary>Where a redirect of this one leads. Credentials go along only to the same scheme, host and port.</summary>
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

        var isSameOrigin = url.Scheme == Url.Scheme && url.Port == Url.Port && string.Equals(url.IdnHost, Url.IdnHost, StringComparison.OrdinalIgnoreCase);
        var isDowngraded = IsDowngraded || (Url.Scheme == Uri.UriSchemeHttps && url.Scheme == Uri.UriSchemeHttp);
        next = new FetchTarget(WithoutCredentials(url), CredentialsOf(url) ?? (isSameOrigin ? credentials : null), isDowngraded);
        return true;
    }

    /// <summary>The request for this hop, with the headers and credentials that are this host's own.</summary>
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

    /// <summary>Some hosts pass for a URL's and have no form that a name server could be asked for: the platform throws when it is wanted, or its client does.</summary>
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
