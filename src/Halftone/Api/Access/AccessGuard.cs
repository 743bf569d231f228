using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Halftone.Model;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Halftone.Api.Access;

/// <summary>The server would be open to strangers; the message says what to do.</summary>
internal sealed class AccessException(string message) : Exception(message);

/// <summary>
/// Lets a call through or refuses it. With API keys, each owner sees only its own requests. Without keys, the server is
/// for this machine only: it refuses to listen on other addresses, and to serve a browser that was tricked into calling
/// it under a foreign name (DNS rebinding) or from a foreign page (cross-site posts).
/// </summary>
internal sealed class AccessGuard(ApiKeys keys, IOptions<AccessOptions> options, IOptions<ServerOptions> server) : IDisposable
{
    private readonly PartitionedRateLimiter<string> limiter = PartitionedRateLimiter.Create<string, string>(
        owner => RateLimitPartition.GetSlidingWindowLimiter(
            owner,
            _ => new SlidingWindowRateLimiterOptions
            {
                PermitLimit = options.Value.CallsPerMinute,
                Window = TimeSpan.FromMinutes(1),
                SegmentsPerWindow = 12,
            }));

    private static readonly PathString[] ForAnyone = ["/health", "/images", "/docs", "/openapi", "/page"];

    private readonly string? publicHost = Uri.TryCreate(server.Value.PublicUrl, UriKind.Absolute, out var url) ? url.Host : null;

    /// <summary>Checks the listening addresses before anything listens.</summary>
    /// <exception cref="AccessException">An address is reachable from other machines while no API key exists.</exception>
    public async Task CheckAddressesAsync(string urls, CancellationToken cancellationToken)
    {
        var open = urls
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault(address => !IsLoopback(HostOf(address)));
        if (open is not null && !options.Value.AllowAnonymous && !await keys.AreAskedForAsync(cancellationToken))
        {
            throw new AccessException(
                $"Without API keys the server listens only on this machine, but '{open}' is reachable by others. Create a key with "
                + "'halftone keys add NAME', listen on 127.0.0.1, or set Access:AllowAnonymous=true if a proxy keeps strangers out.");
        }
    }

    /// <returns>Null if the call may proceed, with <see cref="Caller"/> set; otherwise its answer.</returns>
    public async ValueTask<ProblemHttpResult?> JudgeAsync(HttpContext context)
    {
        if (IsForAnyone(context.Request))
        {
            Caller.Set(context, "");
            return null;
        }

        if (!await keys.AreAskedForAsync(context.RequestAborted))
        {
            Caller.Set(context, "");
            return options.Value.AllowAnonymous ? null : JudgeLocal(context.Request);
        }

        if (KeyOf(context.Request) is not { } key || await keys.FindAsync(key, context.RequestAborted) is not { } owner)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.Of(ProblemType.Unauthorized, "Send a valid API key as 'Authorization: Bearer …' or 'X-API-Key: …'.");
        }

        using var lease = limiter.AttemptAcquire(owner);
        if (!lease.IsAcquired)
        {
            var seconds = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Ceiling(wait.TotalSeconds) : 5;
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return Problems.Of(
                ProblemType.TooManyCalls,
                $"This API key is limited to {options.Value.CallsPerMinute:N0} calls per minute. Try again after the time in Retry-After.");
        }

        Caller.Set(context, owner);
        return null;
    }

    public void Dispose() => limiter.Dispose();

    /// <summary>
    /// Public routes: probes; images, whose URL is the secret; the page, which shows nothing without a key; and the
    /// documentation. Also on a server without keys.
    /// </summary>
    private static bool IsForAnyone(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && (request.Path == "/" || ForAnyone.Any(folder => request.Path.StartsWithSegments(folder, StringComparison.Ordinal)));

    private ProblemHttpResult? JudgeLocal(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host) && request.Host.Host != publicHost)
        {
            return Problems.Of(
                ProblemType.ForeignHost,
                "This server answers only to this machine's own addresses. Call it as 127.0.0.1 or localhost, or set Server:PublicUrl.");
        }

        return IsForeignPage(request)
            ? Problems.Of(ProblemType.ForeignOrigin, "Pages of other sites may not use this server.")
            : null;
    }

    private static string? KeyOf(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim()
            : request.Headers["X-API-Key"].ToString() is { Length: > 0 } key ? key
            : null;
    }

    private static string HostOf(string address)
    {
        try
        {
            return BindingAddress.Parse(address).Host;
        }
        catch (FormatException)
        {
            throw new AccessException($"'{address}' is not a valid address to listen on. Example: http://127.0.0.1:4300");
        }
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Browsers send the calling page in Origin with every request that can change something; programs do not.</summary>
    private static bool IsForeignPage(HttpRequest request) =>
        request.Headers.Origin is [{ Length: > 0 } origin, ..]
        && !(StrangersUrl.TryParse(origin, out var page) && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
