using System.Net;
using System.Net.Sockets;

namespace Halftone.Store;

/// <summary>
/// Ends a call to a store when for a time nothing was sent and nothing came, however long the whole of it takes: many outputs may share a slow line.
/// The body of an answer is taken within the same limit before the answer is handed on, but where its reader looks to that himself.
/// </summary>
/// <param name="longest">The longest silence; the store's work on a call counts as one.</param>
/// <param name="isRead">Says of an answer that its body is left to its reader.</param>
/// <param name="inner">Makes the calls.</param>
internal sealed class SilenceLimit(TimeSpan longest, Func<HttpResponseMessage, bool> isRead, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>What is sent with no sign of whether it arrived; as little as this a line of 2 Mbit/s carries for each of 32 calls in 20 s.</summary>
    private const int UnheardBytes = 131_072;

    /// <summary>A connection that has been idle for longer may have fallen silent, and is not taken up again.</summary>
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(5);

    /// <returns>A client for one store, with connections of its own.</returns>
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
            request.Content = new HeardContent(content, () => silence.CancelAfter(longest));
        }

        HttpResponseMessage? answer = null;
        try
        {
            answer = await base.SendAsync(request, silence.Token);
            if (!isRead(answer))
            {
                await TakeBodyAsync(answer, silence);
            }

            return answer;
        }
        catch (Exception exception)
        {
            answer?.Dispose();
            if (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // Where a body was cut off by our own hand it looks like a connection that broke.
                throw new OperationCanceledException($"Nothing came for {longest}.", exception, silence.Token);
            }

            throw;
        }
    }

    private async Task TakeBodyAsync(HttpResponseMessage answer, CancellationTokenSource silence)
    {
        using var came = answer.Content;
        var bytes = new MemoryStream();
        await using var body = await came.ReadAsStreamAsync(silence.Token);
        await CopyAsync(body, bytes, longest, silence);
        answer.Content = new ByteArrayContent(bytes.GetBuffer(), 0, (int)bytes.Length);
        foreach (var (name, values) in came.Headers)
        {
            answer.Content.Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>Copies a body that may take as long as it keeps coming.</summary>
    public static async Task CopyAsync(Stream body, Stream to, TimeSpan longest, CancellationTokenSource silence)
    {
        var buffer = new byte[81_920];
        while (true)
        {
            silence.CancelAfter(longest);
            var length = await body.ReadAsync(buffer, silence.Token);
            if (length == 0)
            {
                return;
            }

            await to.WriteAsync(buffer.AsMemory(0, length), silence.Token);
        }
    }

    /// <summary>The system would keep megabytes of its own, and what it keeps looks as if it were sent.</summary>
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

    /// <summary>A body that tells of every piece of it that was sent.</summary>
    private sealed class HeardContent : HttpContent
    {
        private readonly HttpContent content;
        private readonly Action sent;

        public HeardContent(HttpContent content, Action sent)
        {
            this.content = content;
            this.sent = sent;
            foreach (var (name, values) in content.Headers)
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await using var heard = new HeardStream(stream, sent);
            await content.CopyToAsync(heard, context, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = content.Headers.ContentLength ?? 0;
            return content.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                content.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    /// <summary>Leaves the stream behind it open.</summary>
    private sealed class HeardStream(Stream stream, Action sent) : Stream
    {
        private const int PieceBytes = 65_536;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (buffer.Length > 0)
            {
                var piece = buffer[..Math.Min(buffer.Length, PieceBytes)];
                await stream.WriteAsync(piece, cancellationToken);
                sent();
                buffer = buffer[piece.Length..];
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
