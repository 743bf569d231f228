using System.Net.Sockets;

namespace Halftone.Io;

/// <summary>
/// Ends a call to a store after a time in which nothing was sent and nothing received, however long the whole call
/// takes: many outputs may share a slow line. The body of an answer is received within the same limit before the answer
/// is returned, unless its reader enforces a limit itself.
/// </summary>
/// <param name="longest">Maximum silence; the time a store works on a call counts too.</param>
/// <param name="isRead">True for answers whose body is left to their reader.</param>
/// <param name="inner">Makes the calls.</param>
internal sealed class SilenceLimit(
    TimeSpan longest,
    Func<HttpResponseMessage, bool> isRead,
    HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Data sent without confirmation of arrival. A line of 2 Mbit/s can carry this much for each of 32 calls in 20 s.</summary>
    private const int UnheardBytes = 131_072;

    private const int PieceBytes = 65_536;

    /// <summary>A connection that was idle for longer may be dead, and is not reused.</summary>
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(5);

    /// <returns>A client for one store, with its own connections.</returns>
    public static HttpClient NewClient(TimeSpan longest, Func<HttpResponseMessage, bool> isRead)
    {
#pragma warning disable CA2000 // The client disposes it.
        var connections = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = LongestIdle,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectCallback = ConnectAsync,
        };
        return new HttpClient(new SilenceLimit(longest, isRead, connections)) { Timeout = Timeout.InfiniteTimeSpan };
#pragma warning restore CA2000
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(longest);
        if (request.Content is { } content)
        {
            // A watched stream has no length of its own.
            var length = content.Headers.ContentLength;
            var sent = new WatchedStream(await content.ReadAsStreamAsync(silence.Token), _ => silence.CancelAfter(longest));
            request.Content = TakeHeaders(new StreamContent(sent, PieceBytes), content);
            request.Content.Headers.ContentLength = length;
        }

        HttpResponseMessage? answer = null;
        try
        {
            answer = await base.SendAsync(request, silence.Token);
            if (!isRead(answer))
            {
                await TakeBodyAsync(answer, cancellationToken);
            }

            return answer;
        }
        catch (Exception exception)
        {
            answer?.Dispose();
            if (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // A body that we cut off ourselves looks like a broken connection.
                throw new OperationCanceledException($"No data for {longest}.", exception, silence.Token);
            }

            throw;
        }
    }

    private async Task TakeBodyAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using var came = answer.Content;
        var bytes = new MemoryStream();
        await using var body = new PatientStream(await came.ReadAsStreamAsync(cancellationToken), longest);
        await body.CopyToAsync(bytes, cancellationToken);
        answer.Content = TakeHeaders(new ByteArrayContent(bytes.GetBuffer(), 0, (int)bytes.Length), came);
    }

    private static HttpContent TakeHeaders(HttpContent content, HttpContent from)
    {
        foreach (var (name, values) in from.Headers)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        return content;
    }

    /// <summary>Limits the send buffer: the system would buffer megabytes, and buffered data looks as if it were sent.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = UnheardBytes };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
