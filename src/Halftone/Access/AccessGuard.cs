using System.Net;
using Halftone.Status;
using Microsoft.Extensions.Options;

namespace Halftone.Access;

/// <summary>Who may use the server.</summary>
internal sealed class AccessOptions
{
    /// <summary>Serve everybody who can reach the address, without API keys, also beyond this machine; false.</summary>
    public bool AllowAnonymous { get; set; }
}

/// <summary>The server would be open to strangers; the message says what to do.</summary>
internal sealed class AccessException(string message) : Exception(message);

/// <summary>
/// A server without keys is for this machine alone: it refuses to listen on another address, and it answers no page of a browser that
/// was tricked into calling it: neither under a foreign name (DNS rebinding) nor for a foreign page (cross-site posts).
/// </summary>
internal static class AccessGuard
{
    /// <summary>The owner of every request of a server without API keys.</summary>
    public const string Nobody = "";

    public static void AddAccess(this IServiceCollection services) => services.AddOptions<AccessOptions>().BindConfiguration("Access");

    public static void UseAccess(this WebApplication server)
    {
        if (server.Services.GetRequiredService<IOptions<AccessOptions>>().Value.AllowAnonymous)
        {
            return;
        }

        var urls = server.Configuration["urls"] ?? "";
        if (urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault(url => !IsLoopback(HostOf(url))) is { } open)
        {
            throw new AccessException($"Without API keys the server listens on this machine only, and '{open}' is open to others: listen on 127.0.0.1, or set Access:AllowAnonymous=true where a proxy keeps strangers out.");
        }

        var publicHost = Uri.TryCreate(server.Services.GetRequiredService<IOptions<ServerOptions>>().Value.PublicUrl, UriKind.Absolute, out var url) ? url.Host : null;
        server.Use(async (context, next) =>
        {
            if (!IsLoopback(context.Request.Host.Host) && context.Request.Host.Host != publicHost)
            {
                await Problems.Of(StatusCodes.Status421MisdirectedRequest, "foreign_host", "Wrong host name", "This server answers on this machine's own address only: call it as 127.0.0.1 or localhost, or set Server:PublicUrl.").ExecuteAsync(context);
            }
            else if (IsForeignPage(context.Request))
            {
                await Problems.Of(StatusCodes.Status403Forbidden, "foreign_origin", "Called by a foreign page", "A page of another site may not use this server.").ExecuteAsync(context);
            }
            else
            {
                await next(context);
            }
        });
    }

    private static string HostOf(string url)
    {
        try
        {
            return BindingAddress.Parse(url).Host;
        }
        catch (FormatException)
        {
            throw new AccessException($"'{url}' is no address to listen on: http://127.0.0.1:4300 is one.");
        }
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Browsers name the calling page in Origin on every request that can change something; programs send none.</summary>
    private static bool IsForeignPage(HttpRequest request) =>
        request.Headers.Origin is [{ Length: > 0 } origin, ..]
        && !(Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
