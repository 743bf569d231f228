using System.IO.Compression;

namespace Halftone.Hostile;

/// <summary>One way in which an origin treats whoever asks it for an image.</summary>
/// <param name="Name">In a word or two.</param>
/// <param name="Codes">The error codes that such a row may end with.</param>
/// <param name="Answer">What it does with a request.</param>
internal sealed record Misbehaviour(string Name, string[] Codes, Func<HostileCall, Task> Answer)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Block = new byte[64 << 10];
    private static readonly byte[] Chunk = [.. "10000\r\n"u8, .. new byte[0x10000], .. "\r\n"u8];
    private static readonly Lazy<byte[]> Gzip = new(() => Bomb(packed => new GZipStream(packed, CompressionLevel.Optimal)));
    private static readonly Lazy<byte[]> Deflate = new(() => Bomb(packed => new ZLibStream(packed, CompressionLevel.Optimal)));
    private static readonly Lazy<byte[]> Brotli = new(() => Bomb(packed => new BrotliStream(packed, CompressionLevel.Fastest)));

    /// <summary>Bodies that do not end, in six disguises: what costs memory.</summary>
    public static Misbehaviour[] Endless { get; } =
    [
        new("endless body", ["too_large"], async call => { await call.WriteOkAsync(); await call.RepeatAsync(Block); }),
        new("endless chunks", ["too_large"], async call => { await call.WriteOkAsync("Transfer-Encoding: chunked\r\n"); await call.RepeatAsync(Chunk); }),
        new("gzip bomb", ["too_large"], call => PackedAsync(call, "gzip", Gzip.Value)),
        new("deflate bomb", ["too_large"], call => PackedAsync(call, "deflate", Deflate.Value)),
        new("brotli bomb", ["bad_response"], call => PackedAsync(call, "br", Brotli.Value)),
    ];

    /// <summary>Bodies that take a great share of the memory and keep it.</summary>
    public static Misbehaviour[] Hostages { get; } =
    [
        new("60 MB that never end", ["too_slow", "body_timed_out"], async call => { await call.WriteOkAsync("Content-Length: 62000000\r\n"); await call.WriteAsync(new byte[60_000_000]); await call.StallAsync(); }),
    ];

    /// <summary>Hosts that take time and give nothing.</summary>
    public static Misbehaviour[] Slow { get; } =
    [
        new("no answer", ["headers_timed_out"], call => call.StallAsync()),
        new("headers at 1 byte a second", ["headers_timed_out"], call => call.TrickleAsync("HTTP/1.1 200 OK\r\nX-Slow: " + new string('a', 4096), Second)),
        new("body at 1 byte a second", ["too_slow", "body_timed_out"], async call => { await call.WriteOkAsync("Content-Length: 100000\r\n"); await call.TrickleAsync(new string('a', 100_000), Second); }),
        new("body that stalls", ["too_slow", "body_timed_out"], async call => { await call.WriteOkAsync("Content-Length: 60000000\r\n"); await call.WriteAsync("a beginning"); await call.StallAsync(); }),
    ];

    /// <summary>Answers that are wrong, and come at once.</summary>
    public static Misbehaviour[] Quick { get; } =
    [
        new("endless headers", ["bad_response"], async call => { await call.WriteAsync("HTTP/1.1 200 OK\r\n"); await call.RepeatAsync("X-Header: and another one\r\n"u8.ToArray()); }),
        Saying("cut body", "body_cut", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"),
        Saying("cut chunks", "body_cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this"),
        Saying("bad chunks", "bad_response", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\nabc\r\n0\r\n\r\n"),
        Saying("huge Content-Length", "too_large", "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nabc"),
        Saying("negative Content-Length", "bad_response", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc"),
        Saying("two Content-Lengths", "bad_response", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        Saying("no body", "empty_body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Saying("not gzip", "bad_response", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"),
        Saying("no HTTP", "bad_response", "SSH-2.0-OpenSSH_9.2p1 secret banner\r\n"),
        Saying("nothing", "connection_reset", ""),
        new("reset", ["connection_reset"], call => { call.Reset(); return Task.CompletedTask; }),
        new("redirect to itself", ["too_many_redirects"], call => call.WriteAsync($"HTTP/1.1 302 Go\r\nLocation: {call.Path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        new("redirects without end", ["too_many_redirects"], call => call.WriteAsync($"HTTP/1.1 302 Go\r\nLocation: {call.Path}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        new("redirect of 1 MB", ["bad_response"], call => call.WriteAsync($"HTTP/1.1 302 Go\r\nLocation: /{new string('a', 1 << 20)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        Saying("redirect to metadata", "address_forbidden", "HTTP/1.1 302 Go\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Saying("redirect to a file", "scheme_forbidden", "HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
        Saying("status 204", "http_status", "HTTP/1.1 204 None\r\n\r\n"),
        Saying("status 206", "http_status", "HTTP/1.1 206 Part\r\nContent-Length: 3\r\n\r\nabc"),
        Saying("status 304", "http_status", "HTTP/1.1 304 Same\r\n\r\n"),
        Saying("status 401", "http_status", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
        Saying("status 403", "http_status", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
        Saying("status 404", "http_status", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        Saying("status 429", "http_status", "HTTP/1.1 429 Wait\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        Saying("status 500", "http_status", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
        Saying("status 503", "http_status", "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        new("a redirect to itself, then 503", ["too_many_redirects", "http_status"], SelfThenBusy()),
        Saying("a page", "not_an_image", "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 37\r\n\r\n<!DOCTYPE html><title>secret</title>\r\n"),
    ];

    public static Misbehaviour[] All { get; } = [.. Endless, .. Slow, .. Quick];

    private static Misbehaviour Saying(string name, string code, string answer) => new(name, [code], call => call.WriteAsync(answer));

    private static async Task PackedAsync(HostileCall call, string coding, byte[] bomb)
    {
        await call.WriteOkAsync($"Content-Encoding: {coding}\r\nContent-Length: {bomb.Length}\r\n");
        await call.WriteAsync(bomb);
    }

    /// <summary>As many requests for one URL as redirects and retries allow together.</summary>
    private static Func<HostileCall, Task> SelfThenBusy()
    {
        var calls = 0;
        return call => call.WriteAsync(Interlocked.Increment(ref calls) % 6 == 0
            ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
            : $"HTTP/1.1 302 Go\r\nLocation: {call.Path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }

    private static byte[] Bomb(Func<Stream, Stream> pack)
    {
        using var packed = new MemoryStream();
        using (var packer = pack(packed))
        {
            for (var block = 0; block < 4096; block++)
            {
                packer.Write(Block);
            }
        }

        return packed.ToArray();
    }
}
