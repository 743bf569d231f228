using System.Text;

namespace Halftone.Hostile.Fuzz;

/// <summary>Whole requests, head and all, as bytes to the real server process.</summary>
internal sealed class RequestTarget(ServerUnderAttack server) : FuzzTarget
{
    private const string Id = "01a1fb87-bfc2-7efa-b984-f394a11c618f";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. new[]
        {
            "GET /requests?limit=10&cursor=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n",
            $"GET /status/{Id}?limit=5 HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: W/\"abc\"\r\n\r\n",
            $"GET /results/{Id}.csv HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-10\r\n\r\n",
            $"GET /images/{Id}/1-1-AAAAAAAAAAAAAAAAAAAAAA.jpg HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-,5-\r\n\r\n",
            $"DELETE /requests/{Id} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            $"POST /requests/{Id}/retry HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
            "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 43\r\n\r\n"
                + "{\"callback_url\":\"http://127.0.0.1:1/hook/\"}",
            "POST /upload?validate_only=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "24\r\nProduct Name,Input Image Urls\nMug,\n\r\n0\r\n\r\n",
            "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 58\r\n\r\n{\"csv\":\"Input "
                + "Image Urls\\n\",\"validate_only\":true,\"q\":\"\\u0\"}",
            "POST /api/v1/upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv; charset=utf-8\r\nContent-Encoding: gzip\r\n"
                + "Idempotency-Key: k\r\nContent-Length: 4\r\n\r\n\u001f\u008babc",
            "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
            "GET http://localhost/health/ready HTTP/1.1\r\nHost: localhost\r\nX-API-Key: a\r\nAuthorization: Bearer b\r\n\r\n",
            $"GET /status/{Id}/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 5\r\n\r\n",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[]
        {
            "\r\n", "\n", "\r", "\0", " ", "\t", ":", "%00", "%2e%2e%2f", "%2f", "..", "/", "//", "?", "&", "=", "%", "%ff%fe", "HTTP/1.0",
            "HTTP/2.0", "Host: evil.example\r\n", "Host:\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
            "Content-Length: 5\r\n",
            "Content-Length: 99999999999\r\n", "Expect: 100-continue\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n",
            "Content-Encoding: br\r\n", "Content-Encoding: deflate\r\n", "Content-Type: multipart/form-data; boundary=\"\r\n",
            "Content-Type: \r\n", "POST ", "GET ", "HEAD ", "PUT ", "limit=-1", "limit=99999999999999999999", "cursor=",
            "Range: bytes=-1\r\n", "If-Modified-Since: x\r\n", "Idempotency-Key: \u00e9\r\n", "X-API-Key: \u00ff\r\n",
            "Authorization: Bearer\r\n", "/api/v1", "\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "ffffffffffffffffffff\r\n",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    /// <summary>Many are cut short, and the server waits for the rest.</summary>
    public override int AtOnce => 100;

    public override async Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        var answer = await RawHttp.ExchangeAsync(server.Port, input, isWhole: false, cancellationToken);
        return !server.IsAlive ? throw new FuzzException("The server has ended: " + server.Log)
            : RawHttp.HasFailure(answer) ? throw new FuzzException(answer)
            : string.Join('+', RawHttp.Statuses(answer));
    }

    public override ValueTask DisposeAsync() => server.DisposeAsync();
}
