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
/// Lets a call through or answers it. With API keys each owner sees only its own. Without, the server is for this machine alone: it refuses
/// to listen on another address, and it answers no page of a browser that was tricked into calling it, neither under a foreign name (DNS
/// rebinding) nor for a foreign page (cross-site posts).
/// </summary>
internal sealed class AccessGuard(ApiKeys keys, IOptions<AccessOptions> options, IOptions<ServerOptions> server) : IDisposable
{
    private readonly PartitionedRateLimiter<string> limiter = PartitionedRateLimiter.Create<string, string>(owner => RateLimitPartition.GetSlidingWindowLimiter(
        owner,
        _ => new SlidingWindowRateLimiterOptions { PermitLimit = options.Value.CallsPerMinute, Window = TimeSpan.FromMinutes(1), SegmentsPerWindow = 12 }));

    private static readonly PathString[] ForAnyone = ["/health", "/images", "/docs", "/openapi", "/page"];

    private readonly string? publicHost = Uri.TryCreate(server.Value.PublicUrl, UriKind.Absolute, out var url) ? url.Host : null;

    /// <summary>Looks at the addresses to listen on, before anything listens.</summary>
    /// <exception cref="AccessException">One of them is open to others while nobody is asked for a key.</exception>
    public async Task CheckAddressesAsync(string urls, CancellationToken cancellationToken)
    {
        var open = urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault(address => !IsLoopback(HostOf(address)));
        if (open is not null && !options.Value.AllowAnonymous && !await keys.AreAskedForAsync(cancellationToken))
        {
            throw new AccessException($"Without API keys the server listens on this machine only, and '{open}' is open to others: make a key with 'halftone keys add NAME', listen on 127.0.0.1, or set Access:AllowAnonymous=true where a proxy keeps strangers out.");
        }
    }

    /// <returns>Null where the call may go on, and then <see cref="Caller"/> is set; else its answer.</returns>
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
            context.Response.Headers.RetryAfter = (lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Ceiling(wait.TotalSeconds) : 5).ToString(CultureInfo.InvariantCulture);
            return Problems.Of(ProblemType.TooManyCalls, $"This key may make {options.Value.CallsPerMinute:N0} calls a minute: wait as long as Retry-After says.");
        }

        Caller.Set(context, owner);
        return null;
    }

    public void Dispose() => limiter.Dispose();

    /// <summary>Probes; images, whose address is the secret; the page, which holds nothing until it is given a key; and the documentation. On a server without keys too.</summary>
    private static bool IsForAnyone(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && (request.Path == "/" || ForAnyone.Any(folder => request.Path.StartsWithSegments(folder, StringComparison.Ordinal)));

    private ProblemHttpResult? JudgeLocal(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host) && request.Host.Host != publicHost)
        {
            return Problems.Of(ProblemType.ForeignHost, "This server answers on this machine's own address only: call it as 127.0.0.1 or localhost, or set Server:PublicUrl.");
        }

        return IsForeignPage(request)
            ? Problems.Of(ProblemType.ForeignOrigin, "A page of another site may not use this server.")
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
            throw new AccessException($"'{address}' is no address to listen on: http://127.0.0.1:4300 is one.");
        }
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Browsers name the calling page in Origin on every request that can change something; programs send none.</summary>
    private static bool IsForeignPage(HttpRequest request) =>
        request.Headers.Origin is [{ Length: > 0 } origin, ..]
        && !(StrangersUrl.TryParse(origin, out var page) && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
