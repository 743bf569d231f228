using System.Net;

namespace Halftone.Fetch;

/// <summary>
/// Cookies between the redirects of one image, and no longer: some hosts set one, send the caller round, and give the picture to anyone who
/// brings it back.
/// Kept beyond that, one shop's cookie would go to another shop's image on the same host.
/// </summary>
internal sealed class FetchCookies
{
    /// <summary>Of all hosts on the way.</summary>
    private const int Most = 50;

    private CookieContainer? kept;

    /// <summary>What the next request to this URL says of cookies; empty for nothing.</summary>
    public string Of(Uri url) => kept?.GetCookieHeader(url) ?? "";

    /// <summary>Takes what a redirect sets. A cookie that breaks a rule is left out, as browsers do.</summary>
    public void Take(HttpResponseMessage response, Uri url)
    {
        if (!response.Headers.NonValidated.TryGetValues("Set-Cookie", out var cookies))
        {
            return;
        }

        kept ??= new CookieContainer(Most, Most, CookieContainer.DefaultCookieLengthLimit);
        foreach (var cookie in cookies)
        {
            try
            {
                kept.SetCookies(url, cookie);
            }
            catch (CookieException)
            {
                // Another domain's, too long, or no cookie at all.
            }
        }
    }
}
