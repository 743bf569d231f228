using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>HTTP through <see cref="SafeConnect"/>, for images and webhooks.</summary>
internal sealed class GuardedHttp(SafeConnect connect, IOptions<FetchOptions> options)
{
    /// <summary>
    /// A handler for strangers' URLs. The caller owns it, keeps it for the life of the process, sets the timeouts of
    /// its requests, and follows redirects itself, if at all: each hop must be judged like the first URL.
    /// </summary>
    /// <param name="trustedRoots">Roots to trust instead of the system's; null trusts the system's.</param>
    public SocketsHttpHandler CreateHandler(X509Certificate2Collection? trustedRoots = null) => new()
    {
        ConnectCallback = connect.ConnectAsync,
        PlaintextStreamFilter = (context, _) =>
            ValueTask.FromResult<Stream>(new AnsweredStream(context.PlaintextStream)), // retries are counted by us
        // ConnectTimeout covers name lookup and TCP in the callback; the rest of this limit is for TLS.
        ConnectTimeout = 2 * options.Value.ConnectTimeout,
        UseCookies = false,                       // one shop's cookie must not go to another's image on the same host
        UseProxy = false,                         // a proxy would resolve names itself, bypassing the guard
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,         // trace IDs are for our own services, not for strangers
        // Without Brotli and zstd: sixty such streams may claim 16 MiB or more each for their window, which no budget counts.
        AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
        MaxResponseHeadersLength = options.Value.MaxHeaderKiB,
        MaxResponseDrainSize = 64 << 10,          // read up to this much of an error page to keep the connection
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2), // DNS records change; two minutes is a common TTL
        ResponseHeaderEncodingSelector = (name, _) => name == "Location" ? Encoding.UTF8 : null,
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = ChainPolicy(trustedRoots) },
    };

    /// <summary>
    /// Certificates contain URLs of missing issuers and revocation lists, which .NET fetches with a client of its own:
    /// a hostile server could make it call any address. So nothing is fetched that the server does not send.
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
