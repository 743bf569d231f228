using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Halftone.Tests.Servers;

/// <summary>A well-behaved web server on loopback that serves given bytes by path, and counts who asked for what.</summary>
internal sealed class ImageOrigin : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ConcurrentDictionary<string, RequestDelegate> paths = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> counts = new(StringComparer.Ordinal);
    private int running;
    private int mostAtOnce;

    private ImageOrigin(WebApplication application) => this.application = application;

    /// <summary>The server's address, such as http://127.0.0.1:40123/.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Most requests that were answered at the same time.</summary>
    public int MostAtOnce => Volatile.Read(ref mostAtOnce);

    /// <summary>Requests in all.</summary>
    public int RequestCount => counts.Values.Sum();

    public static async Task<ImageOrigin> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        var origin = new ImageOrigin(builder.Build());
        origin.application.Run(origin.AnswerAsync);
        await origin.application.StartAsync(cancellationToken);
        var addresses = origin.application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        origin.Address = new Uri(addresses.Addresses.Single());
        return origin;
    }

    public Uri Url(string path) => new(Address, path);

    /// <summary>Requests for one path, query left out.</summary>
    public int CountOf(string path) => counts.GetValueOrDefault(path);

    /// <summary>Serves bytes at a path.</summary>
    public ImageOrigin Serve(string path, byte[] body, string contentType = "image/jpeg") => Serve(path, context =>
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    });

    /// <summary>Serves whatever the delegate writes.</summary>
    public ImageOrigin Serve(string path, RequestDelegate answer)
    {
        paths[path] = answer;
        return this;
    }

    public async ValueTask DisposeAsync() => await application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        counts.AddOrUpdate(path, 1, (_, count) => count + 1);
        var now = Interlocked.Increment(ref running);
        InterlockedMax(ref mostAtOnce, now);
        try
        {
            if (paths.TryGetValue(path, out var answer))
            {
                await answer(context);
            }
            else
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
            }
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); seen < value;)
        {
            seen = Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}
