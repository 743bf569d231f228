using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Halftone.Hostile;

/// <summary>Clients that take their time, and clients that come all at once.</summary>
internal sealed class LoadScenario(ServerUnderAttack server)
{
    public const int SlowClients = 60;
    public const int Calls = 40;

    /// <summary>Uploads at once of a thousand rows each.</summary>
    public int Uploads { get; init; } = 200;

    /// <summary>Uploads at once of 7 MB of JSON each.</summary>
    public int JsonUploads { get; init; } = 60;

    /// <summary>Longest that a call may take beside slow clients; on a machine of one's own.</summary>
    public TimeSpan SlowestAllowed { get; init; } = TimeSpan.FromSeconds(3);

    public sealed record Report
    {
        public required IReadOnlyList<string> Wrong { get; init; }
        public required TimeSpan SlowestBeside { get; init; }
        public required IReadOnlyDictionary<string, int> UploadStatuses { get; init; }
        public required TimeSpan UploadsTook { get; init; }
        public required IReadOnlyDictionary<string, int> JsonStatuses { get; init; }
    }

    public async Task<Report> RunAsync(CancellationToken cancellationToken)
    {
        var wrong = new List<string>();
        var slowest = await BesideSlowClientsAsync(wrong, cancellationToken);
        var clock = Stopwatch.StartNew();
        var csv = "S. No.,Product Name,Input Image Urls\n"
            + string.Concat(Enumerable.Range(0, 1_000).Select(row => $"{row},Product {row},\n"));
        var uploads = await AtOnceAsync(Uploads, () => new StringContent(csv, Encoding.UTF8, "text/csv"), wrong, cancellationToken);
        var took = clock.Elapsed;
        var json = Encoding.UTF8.GetBytes(
            "{\"csv\":\"Product Name,Input Image Urls\\n" + string.Concat(Enumerable.Repeat(new string('a', 4_000) + ",\\n", 1_750))
                + "\"}");
        var jsonUploads = await AtOnceAsync(
            JsonUploads,
            () => new ByteArrayContent(json) { Headers = { ContentType = new("application/json") } },
            wrong,
            cancellationToken);
        return new Report
        {
            Wrong = wrong,
            SlowestBeside = slowest,
            UploadStatuses = uploads,
            UploadsTook = took,
            JsonStatuses = jsonUploads,
        };
    }

    /// <summary>Half of them send their head at a byte a second, half their body; the others must not notice.</summary>
    private async Task<TimeSpan> BesideSlowClientsAsync(List<string> wrong, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var slow = Enumerable.Range(0, SlowClients).Select(number => TrickleAsync(number % 2 == 0, stop.Token)).ToArray();
        var slowest = TimeSpan.Zero;
        for (var call = 0; call < Calls; call++)
        {
            var clock = Stopwatch.StartNew();
            if (call % 2 == 0)
            {
                using var answer = await server.Client.GetAsync("requests", cancellationToken);
                answer.EnsureSuccessStatusCode();
            }
            else
            {
                await server.UploadAsync([""], cancellationToken);
            }

            slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        await stop.CancelAsync();
        await Task.WhenAll(slow);
        if (slowest > SlowestAllowed)
        {
            wrong.Add(string.Create(CultureInfo.InvariantCulture, $"Beside slow clients a call took {slowest.TotalSeconds:0.0} s."));
        }

        return slowest;
    }

    private async Task TrickleAsync(bool head, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Port), cancellationToken);
            const string Head = "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 100000\r\n\r\n";
            if (!head)
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes(Head), cancellationToken);
            }

            for (var at = 0; await timer.WaitForNextTickAsync(cancellationToken); at++)
            {
                await socket.SendAsync(new[] { (byte)Head[at % Head.Length] }, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // The server had enough, or the others are done.
        }
    }

    /// <summary>200, or come again later; and each ends.</summary>
    private async Task<SortedDictionary<string, int>> AtOnceAsync(
        int count, Func<HttpContent> content, List<string> wrong, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            using var body = content();
            try
            {
                using var answer = await server.Client.PostAsync("upload", body, cancellationToken);
                return answer.StatusCode is HttpStatusCode.OK
                    || (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
                        && answer.Headers.RetryAfter is not null)
                    ? $"{(int)answer.StatusCode}"
                    : $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}";
            }
            catch (HttpRequestException exception)
            {
                return exception.Message;
            }
        }));
        wrong.AddRange(answers
            .Where(answer => answer is not ("200" or "429" or "503"))
            .Distinct()
            .Select(answer => "An upload among many: " + answer));
        return new(answers.GroupBy(answer => answer).ToDictionary(group => group.Key, group => group.Count()), StringComparer.Ordinal);
    }
}
