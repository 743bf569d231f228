using System.Diagnostics;
using System.Globalization;

namespace Halftone.Crash;

/// <summary>Whom a round kills.</summary>
internal enum KillMode
{
    /// <summary>Drawn for each round: the group three times in five, the parent and children once each.</summary>
    All,
    /// <summary>The server and its codec children at once.</summary>
    Group,
    /// <summary>The server alone; its children must end by themselves.</summary>
    Parent,
    /// <summary>Some codec children; the server goes on.</summary>
    Children,
    /// <summary>
    /// Nobody: the server and its children are stopped (SIGSTOP) for <see cref="KillRounds.Pause"/> and go on. Only where it is asked for.
    /// </summary>
    Pause,
}

/// <summary>How often what was killed, and how long the server took to get going again.</summary>
internal sealed record KillCounts
{
    public int Group { get; set; }
    public int Parent { get; set; }

    /// <summary>Rounds; each killed one or more.</summary>
    public int Children { get; set; }

    public int Pauses { get; set; }

    /// <summary>Of the group's, those before the server listened.</summary>
    public int WhileStarting { get; set; }

    /// <summary>Fewest images in flight when the server was killed, starts not counted.</summary>
    public int FewestInFlight { get; set; } = int.MaxValue;

    /// <summary>From the start of the process to the first image recorded after it.</summary>
    public TimeSpan LongestToProgress { get; set; }

    /// <summary>From SIGTERM to the exit of the last process, at the very end.</summary>
    public TimeSpan Stop { get; set; }

    public int ExitCode { get; set; }
}

/// <summary>
/// kill -9 at random moments while at least <see cref="InFlight"/> images are in flight, again and again on one data folder.
/// </summary>
internal sealed class KillRounds(string program, int seed, KillMode mode, int inFlight, TextWriter output)
{
    /// <summary>So long a request may take to end, on a machine that does other things as well.</summary>
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromMinutes(10);

    private static readonly (string, string)[] Settings =
    [
        ("Queue:Prefetch", "128"), ("Queue:PlanImages", "64"), ("Queue:SweepInterval", "00:00:00.200"),
        ("Fetch:MinPerHost", "16"), ("Fetch:RetrySchedule:0", "00:00:00.100"), ("Fetch:RetrySchedule:1", "00:00:00.300"),
        ("Fetch:RetrySchedule:2", "00:00:01"),
        ("Logging:LogLevel:Default", "Warning"),
    ];

    private readonly Random random = new(seed);
    private readonly KillCounts counts = new();
    private TimeSpan lastToProgress;

    /// <summary>Images that must be in flight before anything is killed.</summary>
    public int InFlight => inFlight;

    /// <summary>How long <see cref="KillMode.Pause"/> lasts.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMinutes(1);

    public async Task<(KillCounts Counts, Findings Findings)> RunAsync(int rounds, DataFolder folder, CancellationToken cancellationToken)
    {
        await using var surroundings = await Surroundings.StartAsync(seed, cancellationToken);
        using var shop = new Shop(folder.Url, surroundings);
        var load = new Load(shop, surroundings, seed + 1, inFlight);
        var server = Start(folder);
        for (var round = 1; round <= rounds; round++)
        {
            var kill = mode == KillMode.All
                ? random.Next(5) switch { 0 => KillMode.Parent, 1 => KillMode.Children, _ => KillMode.Group }
                : mode;
            if (await RoundAsync(kill, server, shop, load, cancellationToken))
            {
                await server.WaitForEndAsync(cancellationToken);
                await server.DisposeAsync();
                server = Start(folder);
            }

            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"round {round}: {kill}; sent {shop.Sent.Count}, open {shop.Open.Count}, in flight {shop.ImagesInFlight}, "
                    + $"progress after {lastToProgress.TotalSeconds:0.00} s"));
        }

        await ExpectListeningAsync(server, folder);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(SettleDeadline);
        await shop.SettleAsync(deadline.Token);
        await StopAsync(server, cancellationToken);

        // Once more, for what a start sweeps.
        await using (var last = Start(folder))
        {
            await ExpectListeningAsync(last, folder);
            last.Terminate();
            await last.WaitForEndAsync(cancellationToken);
        }

        return (counts, await new Examination(folder, shop, surroundings).RunAsync(cancellationToken));
    }

    private ServerProcess Start(DataFolder folder) =>
        ServerProcess.Start(program, folder.Url, folder.Path, [.. Settings, folder.DatabaseSetting]);

    /// <returns>Whether the server was killed.</returns>
    private async Task<bool> RoundAsync(KillMode kill, ServerProcess server, Shop shop, Load load, CancellationToken cancellationToken)
    {
        if (kill == KillMode.Group && random.Next(6) == 0 && !server.Listening.IsCompleted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1_500)), TimeProvider.System, cancellationToken);
            counts.WhileStarting++;
            counts.Group++;
            server.KillGroup();
            return true;
        }

        if (!await server.Listening)
        {
            throw new InvalidOperationException("The server ended at its start.");
        }

        await WaitForProgressAsync(server, shop, cancellationToken);
        return await load.StrikeAsync(1, _ => KillAsync(kill, server, shop, cancellationToken), random, cancellationToken);
    }

    private async Task<bool> KillAsync(KillMode kill, ServerProcess server, Shop shop, CancellationToken cancellationToken)
    {
        if (kill == KillMode.Children)
        {
            var children = server.Alive().Where(id => id != server.Id).ToArray();
            random.Shuffle(children);
            foreach (var child in children.Take(random.Next(1, children.Length + 1)))
            {
                ServerProcess.KillChild(child);
            }

            counts.Children++;
            return false;
        }

        counts.FewestInFlight = Math.Min(counts.FewestInFlight, shop.ImagesInFlight);
        if (kill == KillMode.Pause)
        {
            server.Stop();
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            server.Continue();
            counts.Pauses++;
            return false;
        }

        if (kill == KillMode.Parent)
        {
            counts.Parent++;
            server.KillParent();
        }
        else
        {
            counts.Group++;
            server.KillGroup();
        }

        return true;
    }

    /// <summary>The first image recorded after a start, where any was left to do.</summary>
    private async Task WaitForProgressAsync(ServerProcess server, Shop shop, CancellationToken cancellationToken)
    {
        await shop.RefreshAsync(cancellationToken);
        if (counts.Group + counts.Parent == 0 || shop.Open.Count == 0)
        {
            return;
        }

        var open = shop.Open;
        var done = open.Sum(request => request.Done);
        while (open.Sum(request => request.Done) <= done && shop.Open.Count > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
            await shop.RefreshAsync(cancellationToken);
        }

        var elapsed = Stopwatch.GetElapsedTime(server.StartedAt);
        if (!server.ProgressSeen)
        {
            server.ProgressSeen = true;
            lastToProgress = elapsed;
            counts.LongestToProgress = elapsed > counts.LongestToProgress ? elapsed : counts.LongestToProgress;
        }
    }

    private async Task StopAsync(ServerProcess server, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        server.Terminate();
        counts.ExitCode = await server.WaitForEndAsync(cancellationToken);
        counts.Stop = clock.Elapsed;
        await server.DisposeAsync();
    }

    private static async Task ExpectListeningAsync(ServerProcess server, DataFolder folder)
    {
        if (!await server.Listening)
        {
            throw new InvalidOperationException($"The server ended at its start; see {folder.Log}.");
        }
    }
}
