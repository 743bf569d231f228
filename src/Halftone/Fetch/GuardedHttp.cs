using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>HTTP through <see cref="SafeConnect"/>, for images and for webhooks.</summary>
internal sealed class GuardedHttp(SafeConnect connect, IOptions<FetchOptions> options)
{
    /// <summary>
    /// A handler for strangers' URLs. The caller owns it, keeps it for the life of the process, sets the time limits of its
    /// requests and follows redirects itself, if at all: each hop must be judged like the first URL.
    /// </summary>
    /// <param name="trustedRoots">Roots to trust instead of the system's; null trusts the system's.</param>
    public SocketsHttpHandler CreateHandler(X509Certificate2Collection? trustedRoots = null) => new()
    {
        ConnectCallback = connect.ConnectAsync,
        PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new AnsweredStream(context.PlaintextStream)), // retries are ours to count
        // The callback keeps ConnectTimeout for name and TCP; what is left of this is for TLS.
        ConnectTimeout = 2 * options.Value.ConnectTimeout,
        UseCookies = false,                       // one shop's cookie must not go to another's image on the same host
        UseProxy = false,                         // a proxy would resolve names on its own, behind the guard's back
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,         // trace ids are for our own services, not for strangers
        // Not brotli and zstd: sixty streams of them may claim 16 MiB and more each for their window, which no budget counts.
        AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
        MaxResponseHeadersLength = options.Value.MaxHeaderKiB,
        MaxResponseDrainSize = 64 << 10,          // the rest of an error page is read up to here to keep the connection
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2), // names move; two minutes is a usual TTL
        ResponseHeaderEncodingSelector = (name, _) => name == "Location" ? Encoding.Latin1 : null, // bytes, of which RedirectLocation makes text
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = ChainPolicy(trustedRoots) },
    };

    /// <summary>
    /// Certificates name URLs for missing issuers and revocation lists, and the platform fetches them with a client of its
    /// own: a hostile server could have any address called. What the server does not send is not fetched.
    /// </summary>
    private static X509ChainPolicy ChainPolicy(X509Certificate2Collection? trustedRoots)
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        if (trustedRoots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(trustedRoots);
        }

        return policy;
    }
}
