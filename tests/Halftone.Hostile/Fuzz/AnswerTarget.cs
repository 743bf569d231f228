using Halftone.Model;
using System.Net;
using System.Text;
using Halftone.Fetch;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Hostile.Fuzz;

/// <summary>What an image host answers: a body or a code comes of it, and all memory is given back.</summary>
internal sealed class AnswerTarget : FuzzTarget
{
    /// <summary>An origin remembers its requests: after so many a new one takes its place.</summary>
    private const int RequestsPerOrigin = 2_000;

    private readonly ServiceProvider stage = FetchStage.Create();
    private byte[] answer = [];
    private HostileOrigin? origin;

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. new[]
        {
            "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Encoding: deflate\r\n\r\nabc", "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 301 Moved\r\nLocation: http://127.66.0.1:1/x\r\n\r\n",
            "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 4\r\n\r\nbusy", "HTTP/1.1 429 Wait\r\nRetry-After: Thu, 01 Jan 2026 00:00:30 GMT\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            "HTTP/1.1 206 Part\r\nContent-Range: bytes 0-2/9\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nConnection: close, x\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        }.Select(Encoding.Latin1.GetBytes),
        [.. "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"u8, 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x4B, 0x4C, 0x4A, 6, 0, 0xC2, 0x41, 0x24, 0x35, 3, 0, 0, 0],
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[]
        {
            "\r\n", "\n", "\r", ": ", "\r\n ", "Content-Length: 99999999999999999999\r\n", "Content-Length: -1\r\n", "Content-Length: 0x3\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Content-Encoding: gzip\r\n",
            "Content-Encoding: br\r\n", "Location: file:///etc/passwd\r\n", "Location: http://[::1]/\r\n", "Location: \r\n", "Location: //\u00e9\r\n", "Location: http://xn--\r\n", "Retry-After: -1\r\n", "Retry-After: 99999999999\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/2.0 200\r\n", "7fffffff\r\n", "ffffffffffffffff\r\n", "0\r\n\r\n", "\0", "Date: x\r\n", "Content-Type: \"\r\n",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    public override async Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        answer = input;
        if (origin is null || origin.ConnectionCount > RequestsPerOrigin)
        {
            await (origin?.DisposeAsync() ?? ValueTask.CompletedTask);
            origin = HostileOrigin.Start(call => call.WriteAsync(answer), at: new IPEndPoint(FetchStage.Opened, 0));
        }

        var result = await stage.GetRequiredService<ImageFetcher>().FetchAsync(new Uri($"http://{FetchStage.Opened}:{origin.Port}/a"), cancellationToken);
        var outcome = (result as FetchResult.Failed)?.Error.Code ?? "fetched";
        (result as FetchResult.Fetched)?.Body.Dispose();
        return stage.GetRequiredService<ByteBudget>().HeldBytes == 0 ? outcome : throw new FuzzException("Memory of a body was not given back.");
    }

    public override async ValueTask DisposeAsync()
    {
        await (origin?.DisposeAsync() ?? ValueTask.CompletedTask);
        await stage.DisposeAsync();
    }
}
