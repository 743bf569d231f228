using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Halftone.Tests.Servers;

/// <summary>A real HTTP server on loopback that answers webhooks as a test wants and keeps what came.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Channel<(IReadOnlyDictionary<string, string> Headers, byte[] Body)> arrivals =
        Channel.CreateUnbounded<(IReadOnlyDictionary<string, string>, byte[])>();

    private WebhookReceiver(WebApplication app) => this.app = app;

    /// <summary>What came, in order: request headers in lower case and the body.</summary>
    public ConcurrentQueue<(IReadOnlyDictionary<string, string> Headers, byte[] Body)> Received { get; } = [];

    /// <summary>The next event that comes, or came and was not yet asked for; within 2 min.</summary>
    public async Task<(IReadOnlyDictionary<string, string> Headers, byte[] Body)> NextAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        return await arrivals.Reader.ReadAsync(deadline.Token);
    }

    /// <param name="answer">Called for every request, after it was kept.</param>
    public static async Task<WebhookReceiver> StartAsync(Func<HttpContext, Task> answer, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var headers = context.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString());
            receiver.Received.Enqueue((headers, body.ToArray()));
            await answer(context);
            receiver.arrivals.Writer.TryWrite((headers, body.ToArray()));
        });
        await app.StartAsync(cancellationToken);
        return receiver;
    }

    /// <summary>Answers every request with this status and nothing else.</summary>
    public static Task<WebhookReceiver> AnsweringAsync(int status, CancellationToken cancellationToken) => StartAsync(
        context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        },
        cancellationToken);

    public Uri Url(string path = "/hook") => new(new Uri(app.Urls.Single()), path);

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
