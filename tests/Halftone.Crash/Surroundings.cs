using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Halftone.Crash;

/// <summary>
/// The world around the server, in this process, which nobody kills: a shop's web servers (several ports, so that the server's politeness
/// to one
/// host does not decide how many images are in flight) and a webhook receiver.
/// </summary>
/// <remarks>
/// <c>/good/…</c> is a picture; <c>/missing/…</c> is 404; <c>/flaky/…</c> is 500 the first time and a picture after; <c>/later/…</c> is 404
/// until
/// <see cref="LaterIsThere"/>, then a picture; <c>/known/…</c> is a picture with an ETag, and 304 to whoever has it; <c>/gated/…</c> is a
/// picture that
/// waits between <see cref="HoldGated"/> and <see cref="ReleaseGated"/>.
/// </remarks>
internal sealed class Surroundings : IAsyncDisposable
{
    private const int Ports = 12;
    private const string Tag = "\"1\"";
    private readonly WebApplication application;
    private readonly (byte[] Body, string Type)[] pictures;
    private readonly ConcurrentDictionary<string, int> calls = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, ConcurrentQueue<string>> events = new();
    private readonly Random random;
    private TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int running;

    private Surroundings(WebApplication application, int seed)
    {
        this.application = application;
        random = new Random(seed);
        pictures =
        [
            .. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "samples", "images")).Order(StringComparer.Ordinal)
                .Select(path => (File.ReadAllBytes(path), "image/" + Path.GetExtension(path)[1..])),
        ];
        gate.SetResult();
        held.SetResult();
    }

    /// <summary>Whether <c>/later/…</c> is a picture by now.</summary>
    public bool LaterIsThere { get; set; }

    /// <summary>Longest wait before an answer.</summary>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Image requests that wait for their answer now.</summary>
    public int Running => Volatile.Read(ref running);

    public string WebhookUrl => application.Urls.First() + "/hook";

    public static async Task<Surroundings> StartAsync(int seed, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            for (var i = 0; i < Ports; i++)
            {
                kestrel.Listen(IPAddress.Loopback, 0);
            }
        });
        var surroundings = new Surroundings(builder.Build(), seed);
        surroundings.application.Run(
            context => context.Request.Path == "/hook" ? surroundings.ReceiveAsync(context) : surroundings.ServeAsync(context));
        await surroundings.application.StartAsync(cancellationToken);
        return surroundings;
    }

    /// <summary>An image URL; <paramref name="number"/> chooses the picture and the host.</summary>
    public string Url(string kind, string request, int number) => $"{application.Urls.ElementAt(number % Ports)}/{kind}/{request}/{number}";

    /// <summary>The <c>webhook-id</c> of every event that came for the request, in order.</summary>
    public IReadOnlyList<string> EventsOf(Guid requestId) => events.TryGetValue(requestId, out var ids) ? [.. ids] : [];

    /// <summary>From now on image requests wait for <see cref="OpenGate"/>.</summary>
    public void CloseGate() => gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void OpenGate() => gate.TrySetResult();

    public void HoldGated() => held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseGated() => held.TrySetResult();

    public ValueTask DisposeAsync()
    {
        OpenGate();
        ReleaseGated();
        return application.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        Interlocked.Increment(ref running);
        try
        {
            await gate.Task.WaitAsync(context.RequestAborted);
            await Task.Delay(Pause(), TimeProvider.System, context.RequestAborted);
            var path = context.Request.Path.Value!.Split('/');
            await (path[1] == "gated" ? held.Task.WaitAsync(context.RequestAborted) : Task.CompletedTask);
            var isFirst = calls.AddOrUpdate(context.Request.Path.Value, 1, (_, count) => count + 1) == 1;
            context.Response.StatusCode = path[1] switch
            {
                "missing" => 404,
                "later" when !LaterIsThere => 404,
                "flaky" when isFirst => 500,
                "known" when context.Request.Headers.IfNoneMatch == Tag => 304,
                _ => 200,
            };
            context.Response.Headers.ETag = path[1] == "known" ? Tag : default;
            if (context.Response.StatusCode == 200)
            {
                var (body, type) = pictures[int.Parse(path[3], System.Globalization.CultureInfo.InvariantCulture) % pictures.Length];
                context.Response.ContentType = type;
                context.Response.ContentLength = body.Length;
                await context.Response.Body.WriteAsync(body, context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // Whoever asked was killed.
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        try
        {
            var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            events
                .GetOrAdd(body.RootElement.GetProperty("request_id").GetGuid(), _ => [])
                .Enqueue(context.Request.Headers["webhook-id"].ToString());
        }
        catch (Exception exception) when (exception is OperationCanceledException or BadHttpRequestException or IOException)
        {
            // Half an event, because its sender was killed: it will come again.
        }
    }

    private TimeSpan Pause()
    {
        lock (random)
        {
            return LongestPause * random.NextDouble();
        }
    }
}
