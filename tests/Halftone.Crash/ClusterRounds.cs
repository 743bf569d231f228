using System.Diagnostics;
using System.Globalization;

namespace Halftone.Crash;

/// <summary>What was done to a cluster, how often, and the longest that it then stood still.</summary>
internal sealed class FaultCounts
{
    private readonly SortedDictionary<string, (int Times, TimeSpan Longest)> faults = new(StringComparer.Ordinal);

    public int FewestInFlight { get; private set; } = int.MaxValue;

    public IEnumerable<string> Lines =>
        faults.Select(fault => string.Create(
            CultureInfo.InvariantCulture,
            $"{fault.Key}: {fault.Value.Times} times, longest until the next outcome {fault.Value.Longest.TotalSeconds:0.0} s"));

    public int Times => faults.Values.Sum(fault => fault.Times);

    public TimeSpan Longest => faults.Values.Max(fault => fault.Longest);

    public void Note(string fault, int inFlight, TimeSpan pause)
    {
        var (times, longest) = faults.GetValueOrDefault(fault);
        faults[fault] = (times + 1, pause > longest ? pause : longest);
        FewestInFlight = Math.Min(FewestInFlight, inFlight);
    }
}

/// <summary>
/// Faults of processes, servers and networks, one after the other, while at least <paramref name="inFlight"/> images are in flight.
/// </summary>
internal sealed class ClusterRounds(Cluster cluster, int seed, int inFlight, TimeSpan outage, TextWriter output)
{
    /// <summary>So long the requests may take to end when all is well again.</summary>
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromMinutes(15);

    /// <summary>Beyond this nothing goes on by itself any more.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(3);

    private readonly Random random = new(seed);
    private readonly FaultCounts counts = new();

    /// <summary>As the images of <see cref="Surroundings"/> want it, and with retries that do not take the harness an hour.</summary>
    public static IReadOnlyList<(string, string)> Settings { get; } =
    [
        ("Queue:Prefetch", "64"), ("Queue:PlanImages", "64"), ("Queue:SweepInterval", "00:00:00.200"), ("Compress:Children", "1"),
        ("Fetch:MinPerHost", "16"), ("Fetch:RetrySchedule:0", "00:00:00.100"), ("Fetch:RetrySchedule:1", "00:00:00.300"),
        ("Fetch:RetrySchedule:2", "00:00:01"),
        ("Logging:LogLevel:Default", "Warning"),
    ];

    /// <summary>Names of faults to choose from, or none for all of them.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    public async Task<(FaultCounts Counts, Findings Findings)> RunAsync(int rounds, CancellationToken cancellationToken)
    {
        await using var surroundings = await Surroundings.StartAsync(seed, cancellationToken);
        using var shop = new Shop(cluster.Url, surroundings);
        var load = new Load(shop, surroundings, seed + 1, inFlight);
        var faults = Faults().Where(fault => Only.Count == 0 || Only.Contains(fault.Name)).ToArray();
        for (var round = 1; round <= rounds; round++)
        {
            // Each once, then again in another order.
            if ((round - 1) % faults.Length == 0)
            {
                random.Shuffle(faults);
            }

            await RoundAsync(round, faults[(round - 1) % faults.Length], shop, load, cancellationToken);
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(SettleDeadline);
        await cluster.AgeUploadsAsync(deadline.Token);
        await shop.SettleAsync(deadline.Token);
        await cluster.SettleAsync(deadline.Token);
        foreach (var member in cluster.Members)
        {
            if (await member.StopAsync(cancellationToken) is not 0 and var code)
            {
                throw new InvalidOperationException($"A process that was told to stop ended with {code}; see {cluster.LogFolder}.");
            }
        }

        return (counts, await new Examination(cluster, shop, surroundings).RunAsync(cancellationToken));
    }

    private Task<bool> RoundAsync(int round, Fault fault, Shop shop, Load load, CancellationToken cancellationToken) => load.StrikeAsync(
        4,
        async waiting =>
        {
            await fault.StrikeAsync(cancellationToken);
            var pause = await UntilNextOutcomeAsync(fault, cancellationToken);
            counts.Note(fault.Name, waiting, pause);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"round {round}: {fault.Name}; sent {shop.Sent.Count}, open {shop.Open.Count}, in flight {waiting}, "
                    + $"next outcome after {pause.TotalSeconds:0.0} s"));
            return true;
        },
        random,
        cancellationToken);

    /// <summary>From now, when all that was struck is there again, until the next image is recorded.</summary>
    private async Task<TimeSpan> UntilNextOutcomeAsync(Fault fault, CancellationToken cancellationToken)
    {
        var healed = Stopwatch.GetTimestamp();
        long? before = null;
        while (true)
        {
            var now = await cluster.OutcomesAsync(cancellationToken);
            if (now > before)
            {
                return Stopwatch.GetElapsedTime(healed);
            }

            before ??= now;
            if (Stopwatch.GetElapsedTime(healed) > LongestPause)
            {
                throw new InvalidOperationException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{fault.Name}: no image was recorded for {LongestPause.TotalMinutes} min after it was over."));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    private List<Fault> Faults()
    {
        List<Fault> faults =
        [
            new("kill worker", ct => KillAsync([AnyWorker()], ct)),
            new("kill two workers", ct => KillAsync([.. cluster.Workers.Skip(1)], ct)),
            new("kill api", ct => KillAsync([cluster.Api], ct)),
            new("kill everything", ct => KillAsync(cluster.Members, ct)),
            new("stop worker", async ct =>
            {
                var worker = AnyWorker();
                worker.Process.Stop();
                await HoldAsync(ct);
                worker.Process.Continue();
            }),
        ];
        foreach (var dependency in new[] { cluster.Database, cluster.Queue, cluster.Store })
        {
            faults.Add(new($"{dependency.Name} restart", ct => CrashAsync(dependency, TimeSpan.Zero, ct)));
            faults.Add(new($"{dependency.Name} outage", ct => CrashAsync(dependency, outage, ct)));
            faults.Add(new($"{dependency.Name} black hole", async ct =>
            {
                Each(dependency, proxy => proxy.Swallow());
                await HoldAsync(ct);
                Each(dependency, proxy => proxy.Heal());
            }));
            faults.Add(new($"{dependency.Name} resets", async ct =>
            {
                for (var i = 0; i < 10; i++)
                {
                    Each(dependency, proxy => proxy.Reset());
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100)), TimeProvider.System, ct);
                }
            }));
        }

        if (cluster.QueueNodes > 1)
        {
            faults.Add(new("queue node restart", ct => CrashAsync(cluster.QueueNode(random.Next(cluster.QueueNodes)), TimeSpan.Zero, ct)));
            faults.Add(new("queue node outage", ct => CrashAsync(cluster.QueueNode(random.Next(cluster.QueueNodes)), outage, ct)));
        }

        return faults;
    }

    private Cluster.Member AnyWorker() => cluster.Workers[random.Next(cluster.Workers.Count)];

    private static async Task KillAsync(IReadOnlyList<Cluster.Member> members, CancellationToken cancellationToken)
    {
        await Task.WhenAll(members.Select(member => member.KillAsync(cancellationToken)));
        await Task.WhenAll(members.Select(member => member.RunAsync()));
    }

    private static async Task CrashAsync(Cluster.Dependency dependency, TimeSpan hold, CancellationToken cancellationToken)
    {
        await dependency.CrashAsync();
        await Task.Delay(hold, TimeProvider.System, cancellationToken);
        await dependency.RunAsync(cancellationToken);
    }

    private static void Each(Cluster.Dependency dependency, Action<Halftone.Servers.TcpProxy> act)
    {
        foreach (var proxy in dependency.Proxies)
        {
            act(proxy);
        }
    }

    private Task HoldAsync(CancellationToken cancellationToken) => Task.Delay(outage, TimeProvider.System, cancellationToken);

    /// <param name="Name">For people.</param>
    /// <param name="StrikeAsync">Does it, and returns when all is there again.</param>
    private sealed record Fault(string Name, Func<CancellationToken, Task> StrikeAsync);
}
