using System.Diagnostics;
using System.Text;

namespace Halftone.Hostile;

/// <summary>A request as no well-behaved client sends it.</summary>
/// <param name="Name">In some words.</param>
/// <param name="Bytes">All of it; <c>PORT</c> is not replaced, the server answers to localhost.</param>
/// <param name="Allowed">Statuses that it may be answered with; none: it may also be hung up on.</param>
internal sealed record RequestCase(string Name, byte[] Bytes, params int[] Allowed)
{
    /// <summary>It does not ask for the connection to be closed, so that what stands behind it may be taken for a second request.</summary>
    public bool StaysOpen { get; init; }
}

/// <summary>
/// Broken bodies, smuggled heads, wrong types, climbing paths and bad ids, and how each must end: with the sender's fault named, or the
/// connection closed.
/// </summary>
internal static class RequestCases
{
    private const string Id = "01a1fb87-bfc2-7efa-b984-f394a11c618f";
    private const int AtOnce = 8;
    private const string Csv = "Product Name,Input Image Urls\r\nMug,\r\n";
    private const string FilePart = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.csv\"\r\n\r\n" + Csv + "\r\n";

    public static IReadOnlyList<RequestCase> All { get; } = [.. Multiparts(), .. Bodies(), .. Heads(), .. Smuggled(), .. Paths(), .. Ids()];

    public sealed record Report(IReadOnlyList<string> Wrong, IReadOnlyDictionary<string, int> Statuses, TimeSpan Slowest);

    /// <summary>Sends each to the server on loopback.</summary>
    public static async Task<Report> RunAsync(int port, IReadOnlyList<RequestCase> cases, CancellationToken cancellationToken)
    {
        var wrong = new List<string>();
        var statuses = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var slowest = TimeSpan.Zero;
        var gate = new Lock();
        await Parallel.ForEachAsync(
            cases,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (request, token) =>
            {
                var clock = Stopwatch.StartNew();
                var (status, problem) = await TryAsync(port, request, token);
                lock (gate)
                {
                    statuses[status] = statuses.GetValueOrDefault(status) + 1;
                    slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
                    if (problem is not null)
                    {
                        wrong.Add($"{request.Name}: {problem}");
                    }
                }
            });
        return new Report(wrong, statuses, slowest);
    }

    private static async Task<(string Status, string? Problem)> TryAsync(int port, RequestCase request, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await RawHttp.ExchangeAsync(
                port, request.Bytes, isWhole: request.Allowed.Length > 0 && !request.StaysOpen, cancellationToken);
            var found = RawHttp.Statuses(answer);
            var text = found.Count == 0 ? "closed" : string.Join('+', found);
            var isWrong = RawHttp.HasFailure(answer)
                || found.Count > 1
                || (request.Allowed.Length > 0 && (found.Count == 0 || !request.Allowed.Contains(found[0])));
            var tells = answer.Contains("root:", StringComparison.Ordinal)
                || answer.Contains("   at Halftone", StringComparison.Ordinal)
                || answer.Contains("Access-Control-Allow-Origin", StringComparison.OrdinalIgnoreCase);
            return (
                text,
                isWrong
                    ? $"{text} instead of {string.Join(" or ", request.Allowed)}"
                    : tells ? "the answer tells what it should not" : null);
        }
        catch (TimeoutException hang)
        {
            return ("hang", hang.Message);
        }
    }

    private static IEnumerable<RequestCase> Multiparts()
    {
        static RequestCase Of(string name, string body, params int[] allowed) =>
            Form(name, Encoding.Latin1.GetBytes(body), allowed.Length > 0 ? allowed : [400]);

        yield return Of("no body", "");
        yield return Of("no boundary in the body", "nothing of a form");
        yield return Of("cut in the boundary", FilePart + "--");
        yield return Of("no last boundary", FilePart);
        yield return Of("cut in a part's head", "--x\r\nContent-Dispos");
        yield return Of("cut after a part's head", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n");
        yield return Of("only the last boundary", "--x--\r\n");
        yield return Of("line feeds alone", FilePart.Replace("\r\n", "\n", StringComparison.Ordinal) + "--x--\n");
        yield return Of("a part without a head", "--x\r\n\r\nabc\r\n--x--\r\n");
        yield return Of("a part without a name", "--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n");
        yield return Of("a part with an empty name", "--x\r\nContent-Disposition: form-data; name=\"\"\r\n\r\na\r\n--x--\r\n");
        yield return Of("a name without its end", "--x\r\nContent-Disposition: form-data; name=\"file\r\n\r\na\r\n--x--\r\n");
        yield return Of("a head without a colon", "--x\r\nContent-Disposition form-data\r\n\r\na\r\n--x--\r\n");
        yield return Of("a head of 40 KB", "--x\r\nX: " + new string('h', 40_000) + "\r\n\r\na\r\n--x--\r\n");
        yield return Of(
            "a name of 1 MB", "--x\r\nContent-Disposition: form-data; name=\"" + new string('n', 1 << 20) + "\"\r\n\r\na\r\n--x--\r\n");
        yield return Of(
            "a name of 10 KB", "--x\r\nContent-Disposition: form-data; name=\"" + new string('n', 10_000) + "\"\r\n\r\na\r\n--x--\r\n");
        yield return Of(
            "a thousand heads in a part",
            "--x\r\n" + string.Concat(Enumerable.Range(0, 1000).Select(number => $"X-{number}: a\r\n")) + "\r\na\r\n--x--\r\n");
        yield return Of(
            "10,000 parts",
            string.Concat(Enumerable.Repeat("--x\r\nContent-Disposition: form-data; name=\"quality\"\r\n\r\n50\r\n", 10_000))
                + "--x--\r\n");
        yield return Of("10,000 files", string.Concat(Enumerable.Repeat(FilePart, 10_000)) + "--x--\r\n");
        yield return Of("two files", FilePart + FilePart + "--x--\r\n");
        yield return Of("no file", "--x\r\nContent-Disposition: form-data; name=\"quality\"\r\n\r\n50\r\n--x--\r\n");
        yield return Of("an unknown field", "--x\r\nContent-Disposition: form-data; name=\"qualty\"\r\n\r\n50\r\n--x--\r\n");
        yield return Of(
            "a field of 1 MB",
            "--x\r\nContent-Disposition: form-data; name=\"quality\"\r\n\r\n" + new string('5', 1 << 20) + "\r\n--x--\r\n");
        yield return Of(
            "a form within a form",
            "--x\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\na\r\n"
                + "--y--\r\n--x--\r\n");
        yield return Of(
            "a file of zeros", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + new string('\0', 1000) + "\r\n--x--\r\n");
        yield return Of("an empty file", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--x--\r\n");
        yield return Of(
            "a file name that climbs",
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../../etc/passwd\"\r\n\r\n" + Csv + "\r\n--x--\r\n",
            200);
        yield return Of(
            "a file name of 100 KB",
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + new string('n', 100_000) + "\"\r\n\r\n" + Csv
                + "\r\n--x--\r\n");
        yield return Of(
            "a file name of half characters",
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''%ED%A0%80%FF\r\n\r\n" + Csv + "\r\n--x--\r\n",
            200,
            400);
        yield return Of("text before and after", "before\r\n" + FilePart + "--x--\r\nafter", 200);
        foreach (var type in (string[])[
            "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"",
            "multipart/form-data; boundary=" + new string('b', 500), "multipart/form-data; boundary=a b",
        ])
        {
            yield return Post(
                $"type {type[..Math.Min(type.Length, 50)]}", type, Encoding.Latin1.GetBytes(FilePart + "--x--\r\n"), 400, 415);
        }
    }

    private static IEnumerable<RequestCase> Bodies()
    {
        foreach (var type in (string[])[
            "nonsense", "text/html", "application/xml", "image/png", "application/x-www-form-urlencoded",
            "multipart/mixed; boundary=x", "text", "text/csv/x", "*/*", ";", "application/json;charset=utf-16",
        ])
        {
            yield return Post($"type '{type}'", type, Encoding.Latin1.GetBytes(Csv), 400, 415);
        }

        foreach (var (name, json) in new (string, string)[]
        {
            ("no JSON", "nothing"), ("cut JSON", "{\"csv\":\"a"), ("JSON of 100,000 levels", new string('[', 100_000)), ("a number", "1"),
            ("null", "null"), ("csv is a number", "{\"csv\":1}"), ("half a character", "{\"csv\":\"\\ud800\"}"),
            ("half a character in a name", "{\"csv\":\"a\",\"\\ud800\":1}"),
            ("a member of 1 MB", "{\"csv\":\"a\",\"quality\":\"" + new string('5', 1 << 20) + "\"}"),
            ("a million members", "{" + string.Concat(Enumerable.Repeat("\"quality\":50,", 100_000)) + "\"csv\":\"Input Image Urls\\n\"}"),
        })
        {
            yield return Post(
                $"JSON: {name}", "application/json", Encoding.UTF8.GetBytes(json), name == "a million members" ? [200, 400] : [400]);
        }

        yield return Post("JSON that is not UTF-8", "application/json", [.. "{\"csv\":\""u8, 0xFF, .. "\"}"u8], 400);
        yield return Post(
            "JSON of 9 MB", "application/json", Encoding.UTF8.GetBytes("{\"csv\":\"" + new string('a', 9_000_000) + "\"}"), 413);
        yield return Post("gzip that is none", "application/gzip", [0x1F, 0x8B, 8, 0, 1, 2, 3], 400);
        yield return Post("Content-Encoding: gzip that is none", "text/csv\r\nContent-Encoding: gzip", Encoding.UTF8.GetBytes(Csv), 400);
        yield return Post("Content-Encoding: br", "text/csv\r\nContent-Encoding: br", Encoding.UTF8.GetBytes(Csv), 415);
        yield return Post(
            "Content-Encoding: three times", "text/csv\r\nContent-Encoding: gzip, gzip, gzip", Encoding.UTF8.GetBytes(Csv), 400, 415);
        yield return new(
            "a length of 100 GB is refused before the body",
            Head("POST /upload", "Content-Type: text/csv\r\nContent-Length: 100000000000\r\nExpect: 100-continue"),
            413);
        yield return new(
            "a length of 100 GB without waiting",
            [.. Head("POST /upload", "Content-Type: text/csv\r\nContent-Length: 100000000000"), .. new byte[100_000]],
            413);
        yield return new(
            "chunks beyond the limit",
            [
                .. Head("POST /upload", "Content-Type: text/csv\r\nTransfer-Encoding: chunked"),
                .. Enumerable.Range(0, 400).SelectMany(_ => (byte[])[.. "10000\r\n"u8, .. new byte[0x10000], .. "\r\n"u8]),
            ],
            413);
        yield return new(
            "chunks that stop", [.. Head("POST /upload", "Content-Type: text/csv\r\nTransfer-Encoding: chunked"), .. "5\r\nabc"u8]);
        yield return new(
            "chunks without a size",
            [.. Head("POST /upload", "Content-Type: text/csv\r\nTransfer-Encoding: chunked"), .. "xyz\r\nabc\r\n0\r\n\r\n"u8],
            400);
        yield return new(
            "a chunk of 2^64 bytes",
            [.. Head("POST /upload", "Content-Type: text/csv\r\nTransfer-Encoding: chunked"), .. "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"u8],
            400);
        yield return new(
            "a body shorter than said", [.. Head("POST /upload", "Content-Type: text/csv\r\nContent-Length: 1000"), .. "Product Name"u8]);
        yield return new(
            "an idempotency key of 10 KB",
            [
                .. Head("POST /upload", $"Content-Type: text/csv\r\nContent-Length: 1\r\nIdempotency-Key: {new string('k', 10_000)}"),
                .. "a"u8,
            ],
            400);
        yield return Post("webhook: no JSON", "application/json", "nothing"u8.ToArray(), "/webhook", 400);
        yield return Post(
            "webhook: 1 MB",
            "application/json",
            Encoding.UTF8.GetBytes("{\"callback_url\":\"http://127.0.0.1/" + new string('a', 1 << 20) + "\"}"),
            "/webhook",
            413);
        yield return Post(
            "webhook: inside", "application/json", "{\"callback_url\":\"http://169.254.169.254/\"}"u8.ToArray(), "/webhook", 400);
        yield return Post("webhook: a bad id", "application/json", "{\"request_id\":\"../../x\"}"u8.ToArray(), "/webhook", 404);
        yield return Post("webhook: half a character", "application/json", "{\"callback_url\":\"\\ud800\"}"u8.ToArray(), "/webhook", 400);
        yield return Post(
            "webhook: a URL that the platform's reader throws for",
            "application/json",
            Encoding.UTF8.GetBytes("{\"callback_url\":\"file://\u202e/etc/passwd\"}"),
            "/webhook",
            400);
        yield return new(
            "a page's origin that the platform's reader throws for",
            Head("GET /requests", "Origin: file://\u00e2\u0080\u00ae/etc/passwd"),
            403);
        yield return Post(
            "webhook: a name that is none",
            "application/json",
            Encoding.UTF8.GetBytes("{\"callback_url\":\"http://\u0644a.example/\"}"),
            "/webhook",
            400);
    }

    private static IEnumerable<RequestCase> Heads()
    {
        static RequestCase Raw(string name, string text, params int[] allowed) => new(name, Encoding.Latin1.GetBytes(text), allowed);

        yield return Raw("no Host", "GET /requests HTTP/1.1\r\nConnection: close\r\n\r\n", 400);
        yield return Raw("an empty Host", "GET /requests HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 400, 421);
        yield return Raw("two Hosts", "GET /requests HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 400);
        yield return Raw("a Host that is none", "GET /requests HTTP/1.1\r\nHost: a b@c\r\nConnection: close\r\n\r\n", 400);
        yield return Raw(
            "a foreign Host (DNS rebinding)", "GET /requests HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421);
        yield return Raw(
            "a foreign absolute address",
            "GET http://evil.example/requests HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            400,
            421);
        yield return Raw(
            "a foreign page's post",
            "POST /upload HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n"
                + "Connection: close\r\n\r\na",
            403);
        yield return Raw(
            "a foreign page's question before a post",
            "OPTIONS /upload HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n"
                + "Connection: close\r\n\r\n",
            403,
            405);
        yield return Raw("HTTP/1.0 without Host", "GET /requests HTTP/1.0\r\n\r\n", 200, 400, 421);
        yield return Raw("HTTP/0.9", "GET /\r\n\r\n", 400);
        yield return Raw("HTTP/3.7", "GET / HTTP/3.7\r\n\r\n", 505, 400);
        yield return Raw("HTTP/2 without having asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        yield return Raw("TLS", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003");
        yield return Raw("no method", " / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
        yield return Raw("an unknown method", "BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 403, 404, 405, 501);
        yield return Raw("TRACE", "TRACE /requests HTTP/1.1\r\nHost: localhost\r\nX-Secret: a\r\nConnection: close\r\n\r\n", 404, 405);
        yield return Raw("CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400, 404, 405);
        yield return Raw("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        yield return Raw("a method of 10 KB", new string('M', 10_000) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        yield return Raw("an address of 100 KB", "GET /" + new string('a', 100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, 400);
        yield return Raw(
            "a header of 100 KB", "GET /requests HTTP/1.1\r\nHost: localhost\r\nX: " + new string('a', 100_000) + "\r\n\r\n", 431, 400);
        yield return Raw(
            "a thousand headers",
            "GET /requests HTTP/1.1\r\nHost: localhost\r\n"
                + string.Concat(Enumerable.Range(0, 1000).Select(number => $"X-{number}: a\r\n")) + "\r\n",
            431,
            400);
        yield return Raw("a header without a name", "GET /requests HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n", 400);
        yield return Raw("a header with a zero", "GET /requests HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400);
        yield return Raw("a folded header", "GET /requests HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400);
        yield return Raw("half a head", "GET /requests HTTP/1.1\r\nHost: local");
        yield return Raw("nothing", "");
        yield return Raw(
            "a query of bad numbers",
            "GET /requests?limit=99999999999999999999&cursor=%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            400);
        yield return Raw(
            "a query of bad escapes",
            "GET /requests?limit=%zz&%ff%fe=%c0%af HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            400);
        yield return Raw(
            "a key of odd bytes",
            "GET /requests HTTP/1.1\r\nHost: localhost\r\nX-API-Key: \u00ff\u0001\r\nConnection: close\r\n\r\n",
            200,
            400);
        yield return Raw(
            "a tag of odd bytes",
            "GET /requests HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"\u00ff, W/\r\nConnection: close\r\n\r\n",
            200,
            400);
    }

    private static IEnumerable<RequestCase> Smuggled()
    {
        // Whoever stands before the server may see one request where it sees two. It must see one, refuse it, or close.
        const string Second = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
        static RequestCase With(string name, string headers, string body, params int[] allowed) =>
            new(
                "smuggling: " + name,
                Encoding.Latin1.GetBytes($"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n{headers}\r\n\r\n{body}"),
                allowed)
            {
                StaysOpen = true,
            };

        yield return With(
            "a length and chunks", $"Content-Length: {5 + Second.Length}\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + Second, 400);
        yield return With("chunks and a length", $"Transfer-Encoding: chunked\r\nContent-Length: 4", "0\r\n\r\n" + Second, 400);
        yield return With("two lengths", $"Content-Length: 0\r\nContent-Length: {Second.Length}", Second, 400);
        yield return With("a list of lengths", $"Content-Length: 0, {Second.Length}", Second, 400);
        yield return With("a length with a sign", "Content-Length: +5", "abcde", 400);
        yield return With("a negative length", "Content-Length: -5", "abcde", 400);
        yield return With("a hexadecimal length", "Content-Length: 0x5", "abcde", 400);
        yield return With("a length of 30 digits", "Content-Length: 999999999999999999999999999999", "abcde", 400, 413);
        yield return With("a space before the colon", $"Content-Length : {Second.Length}", Second, 400);
        yield return With("a tab before chunked", "Transfer-Encoding:\tchunked", "0\r\n\r\n", 400);
        yield return With("xchunked", "Transfer-Encoding: xchunked", Second, 400, 411, 501);
        yield return With("chunked, identity", "Transfer-Encoding: chunked, identity", "0\r\n\r\n" + Second, 400, 501);
        yield return With("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + Second, 400, 501);
        yield return With("a bare line feed in the head", $"X: a\nContent-Length: {Second.Length}", Second, 400);
        yield return With("a bare carriage return in the head", $"X: a\rContent-Length: {Second.Length}", Second, 400);
        yield return With("a chunk size with a line feed", "Transfer-Encoding: chunked", "0\n\n" + Second, 400);
        yield return With("a chunk extension with a line feed", "Transfer-Encoding: chunked", "5;a\n\r\nabcde\r\n0\r\n\r\n", 400);
        yield return With("a chunk without its end", "Transfer-Encoding: chunked", "5\r\nabcdeXX0\r\n\r\n", 400);
    }

    private static IEnumerable<RequestCase> Paths()
    {
        string[] climbs =
        [
            "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cetc%5cpasswd",
            "..%252f..%252fetc%252fpasswd", "....//....//etc/passwd", "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", "..;/..;/etc/passwd",
            "/etc/passwd", "%00/etc/passwd", $"{Id}/../../halftone.db", $"{Id}/..%2f..%2fhalftone.db", $"{Id}%2f..%2f..%2fhalftone.db",
            $"{Id}/.%2e/x", $"{Id}/%2e%2e%2fx", $"{Id}/a%00.jpg", $"{Id}/.hidden", $"{Id}/upload-AAAAAAAAAAAAAAAAAAAAAA.csv",
            $"{Id}/a.jpg.part", $"{Id}/{new string('a', 3_000)}.jpg", $"{Id}/a%0d%0aX: b.jpg", $"{Id}/\u00e9.jpg", "~/.ssh/id_rsa",
            "C:%5cwindows%5cwin.ini", $"{Id}/a.jpg/b", "..", ".", "%2e%2e", "%",
        ];
        foreach (var prefix in (string[])["/images/", "/results/", "/status/", "/api/v1/images/"])
        {
            foreach (var climb in climbs)
            {
                // "/" is the page
                yield return new(
                    $"GET {prefix}{climb[..Math.Min(60, climb.Length)]}",
                    Head($"GET {prefix}{climb}", ""),
                    climb is ".." or "%2e%2e" ? [200] : [400, 404, 414]);
            }
        }
    }

    private static IEnumerable<RequestCase> Ids()
    {
        string[] ids =
        [
            "0", "-1", "null", "undefined", "NaN", new string('1', 2_000), "00000000-0000-0000-0000-000000000000", Id.ToUpperInvariant(),
            Id.Replace("-", "", StringComparison.Ordinal), $"{{{Id}}}", $"%7b{Id}%7d",
            $" {Id}".Replace(" ", "%20", StringComparison.Ordinal), $"{Id}%00", $"{Id}%0a",
            $"{Id}'", "'%20OR%201=1--", "1;DROP%20TABLE%20request", "%ff%fe", "%f0%9f%98%80", "*", "$where", "__proto__", "%3Cscript%3E",
        ];
        foreach (var id in ids)
        {
            foreach (var (method, path) in new[]
            {
                ("GET", "/status/{0}"), ("GET", "/status/{0}/events"), ("GET", "/results/{0}.csv"), ("GET", "/results/{0}.ndjson"),
                ("GET", "/results/{0}/failed.csv"), ("DELETE", "/requests/{0}"), ("POST", "/requests/{0}/retry"),
                ("POST", "/requests/{0}/cancel"), ("GET", "/webhook/{0}/deliveries"), ("DELETE", "/webhook/{0}"),
                ("GET", "/requests/{0}/deliveries"),
            })
            {
                yield return new(
                    $"{method} {path} of {id[..Math.Min(40, id.Length)]}",
                    Head($"{method} {path.Replace("{0}", id, StringComparison.Ordinal)}", "Content-Length: 0"),
                    400,
                    404);
            }
        }
    }

    private static RequestCase Form(string name, byte[] body, int[] allowed) =>
        Post("multipart: " + name, "multipart/form-data; boundary=x", body, allowed);

    private static RequestCase Post(string name, string type, byte[] body, params int[] allowed) =>
        Post(name, type, body, "/upload", allowed);

    private static RequestCase Post(string name, string type, byte[] body, string path, params int[] allowed) =>
        new(name, [.. Head($"POST {path}", $"Content-Type: {type}\r\nContent-Length: {body.Length}"), .. body], allowed);

    private static byte[] Head(string request, string headers) =>
        Encoding.Latin1.GetBytes(
            $"{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{(headers.Length > 0 ? headers + "\r\n" : "")}\r\n");
}
