using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Halftone.Hostile;

/// <summary>
/// Rows of origins that misbehave, each at a port of its own, beside rows of good ones: what each row ends with, how often it was asked
/// for,
/// what it cost in memory, and whether anybody else had to wait.
/// </summary>
internal sealed class OriginsScenario(
    string program, IReadOnlyList<Misbehaviour> kinds, int origins, int goodRows, params (string Name, string Value)[] settings)
{
    /// <summary>Many images come from the same shop as the hostile ones: so many of each hostile origin's rows are good.</summary>
    private const int GoodRowsPerOrigin = 3;

    private readonly byte[] picture = File.ReadAllBytes(
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "samples", "images"), "*.jpg")
            .Order(StringComparer.Ordinal)
            .First());

    public sealed record Report
    {
        /// <summary>Rows that ended otherwise than they should, as sentences.</summary>
        public required IReadOnlyList<string> Wrong { get; init; }
        public required TimeSpan GoodAlone { get; init; }
        public required TimeSpan GoodBeside { get; init; }
        public required TimeSpan GoodOnHostileHosts { get; init; }
        public required TimeSpan Hostile { get; init; }
        public required IReadOnlyDictionary<string, int> MostRequestsForOneUrl { get; init; }
        public required TimeSpan LongestRequest { get; init; }
        public required long TreePeakMiB { get; init; }
        public required long ServerPeakMiB { get; init; }
        public required long TreeAfterMiB { get; init; }
        public required string Log { get; init; }
    }

    public async Task<Report> RunAsync(CancellationToken cancellationToken)
    {
        var counts = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var longest = TimeSpan.Zero;
        var gate = new Lock();
        var hosts = new List<(HostileOrigin Origin, Misbehaviour Kind)>();
        for (var number = 0; number < origins; number++)
        {
            var kind = kinds[number % kinds.Count];
            hosts.Add((HostileOrigin.Start(AnswerAsync), kind));

            async Task AnswerAsync(HostileCall call)
            {
                if (call.Path.StartsWith("/good", StringComparison.Ordinal))
                {
                    await GoodAsync(call);
                    return;
                }

                counts.AddOrUpdate($"{call.Port}{call.Path}", 1, (_, count) => count + 1);
                var clock = Stopwatch.StartNew();
                try
                {
                    await kind.Answer(call);
                }
                finally
                {
                    lock (gate)
                    {
                        longest = clock.Elapsed > longest ? clock.Elapsed : longest;
                    }
                }
            }
        }

        await using var good = HostileOrigin.Start(GoodAsync);
        await using var server = await ServerUnderAttack.StartAsync(program, settings);
        try
        {
            var goodUrls = Enumerable.Range(0, goodRows).Select(row => good.Url($"/good/{row}").AbsoluteUri).ToArray();
            // The first run pays for what is loaded only once.
            await TimeAsync(server, goodUrls.Take(20), cancellationToken);
            var (alone, _) = await TimeAsync(server, goodUrls, cancellationToken);
            server.ForgetPeaks();
            var hostile = TimeAsync(server, hosts.Select(host => host.Origin.Url("/row").AbsoluteUri), cancellationToken);
            // They are good rows of a shop that is being asked already.
            while (hosts.Count(host => host.Origin.ConnectionCount > 0) < Math.Min(origins, 16))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
            }

            var onHostile = TimeAsync(
                server,
                Enumerable.Range(0, GoodRowsPerOrigin).SelectMany(row => hosts.Select(host => host.Origin.Url($"/good/{row}").AbsoluteUri)),
                cancellationToken);
            var (beside, besideStatus) = await TimeAsync(server, goodUrls, cancellationToken);
            var (same, sameStatus) = await onHostile;
            var (all, status) = await hostile;
            var wrong = WrongRows(status, hosts)
                .Concat(NotCompleted("beside", besideStatus))
                .Concat(NotCompleted("on hostile hosts", sameStatus))
                .ToList();
            if (!server.IsAlive)
            {
                wrong.Add("The server has ended.");
            }

            return new Report
            {
                Wrong = wrong,
                GoodAlone = alone,
                GoodBeside = beside,
                GoodOnHostileHosts = same,
                Hostile = all,
                MostRequestsForOneUrl = counts.GroupBy(count =>
                    hosts.First(host => count.Key.StartsWith($"{host.Origin.Port}/", StringComparison.Ordinal)).Kind.Name)
                    .ToDictionary(kind => kind.Key, kind => kind.Max(count => count.Value)),
                LongestRequest = longest,
                TreePeakMiB = server.TreePeakMiB,
                ServerPeakMiB = server.ServerPeakMiB,
                TreeAfterMiB = server.TreeMiB,
                Log = server.Log,
            };
        }
        finally
        {
            foreach (var (origin, _) in hosts)
            {
                await origin.DisposeAsync();
            }
        }
    }

    private async Task GoodAsync(HostileCall call)
    {
        await call.WriteAsync(
            $"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\nContent-Length: {picture.Length}\r\n\r\n");
        await call.WriteAsync(picture);
    }

    private static async Task<(TimeSpan Took, JsonElement Status)> TimeAsync(
        ServerUnderAttack server, IEnumerable<string> urls, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var status = await server.WaitForEndAsync(await server.UploadAsync(urls, cancellationToken), cancellationToken);
        return (clock.Elapsed, status);
    }

    private static IEnumerable<string> NotCompleted(string which, JsonElement status) =>
        status.GetProperty("progress").GetProperty("failed").GetInt32() is > 0 and var failed
            ? [$"{failed} good rows {which} failed: {status.GetProperty("errors")}"]
            : [];

    private static IEnumerable<string> WrongRows(JsonElement status, List<(HostileOrigin Origin, Misbehaviour Kind)> hosts)
    {
        var row = 0;
        foreach (var product in status.GetProperty("products").EnumerateArray())
        {
            var kind = hosts[row++].Kind;
            var image = product.GetProperty("images")[0];
            var code = image.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
                ? error.GetProperty("code").GetString()
                : image.GetProperty("status").GetString();
            if (!kind.Codes.Contains(code))
            {
                yield return $"{kind.Name}: {code} instead of {string.Join(" or ", kind.Codes)}";
            }

            if (status.ToString().Contains("secret", StringComparison.Ordinal))
            {
                yield return $"{kind.Name}: the status repeats what the host said";
            }
        }
    }
}
