using Halftone.Model;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>The answer to a request for a turn: a turn, or the reason why the host is not called now.</summary>
/// <param name="Lease">The turn; null if there is none.</param>
/// <param name="Outage">Why there is none; null with a lease.</param>
internal readonly record struct HostEntry(HostLease? Lease, HostOutage? Outage);

/// <summary>A host that could not be reached several times in a row.</summary>
/// <param name="Cause">The last failure.</param>
/// <param name="IsYoung">True within <see cref="FetchOptions.OutageGrace"/> of the first failure: the host may only be restarting.</param>
internal sealed record HostOutage(FetchError Cause, bool IsYoung);

/// <summary>
/// Concurrency limit and circuit breaker per host and port. The limit adapts: it starts at
/// <see cref="FetchOptions.MinPerHost"/>, grows while the host answers (by one per answer until the first trouble, then
/// by one per round), and halves when the host says 429 or 503, or times out a request while it answers few others. A
/// request that runs for <see cref="FetchOptions.SlowAfter"/> is exempt: it no longer counts, within bounds, so that
/// bad URLs do not hold up the host's good ones. Only failures to resolve or connect open the breaker: a host that
/// answers, however badly, exists. While it is open, all callers are told at once; after a pause one request tries, and
/// its outcome closes the breaker or doubles the pause.
/// </summary>
/// <remarks>
/// Call <c>TryEnter</c>; if it returns false, release the worker slot, await <see cref="EnterAsync"/> (first come,
/// first served), and take a slot again. Tell the lease the outcome, and dispose it once the body is received. Memory
/// is bounded: beyond <see cref="MaxHosts"/>, the hosts not used for longest are forgotten.
/// </remarks>
internal sealed partial class HostLimiter(IOptions<FetchOptions> options, TimeProvider time, ILogger<HostLimiter> logger)
{
    /// <summary>Maximum hosts tracked; about 200 bytes each.</summary>
    public const int MaxHosts = 4096;

    private const int MostDoublings = 6;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Host> hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Hosts currently tracked.</summary>
    public int HostCount
    {
        get
        {
            lock (gate)
            {
                return hosts.Count;
            }
        }
    }

    /// <summary>Hosts currently tracked, and those whose breaker is open.</summary>
    public (int Hosts, int Open) Look()
    {
        lock (gate)
        {
            return (hosts.Count, hosts.Values.Count(host => host.IsOpen));
        }
    }

    /// <summary>A turn or a refusal without waiting.</summary>
    /// <returns>False if the host is busy: use <see cref="EnterAsync"/>.</returns>
    public bool TryEnter(string host, out HostEntry entry)
    {
        lock (gate)
        {
            return TryEnter(Find(host), out entry);
        }
    }

    /// <summary>Waits for a turn, or for the news that the host cannot be reached.</summary>
    public async ValueTask<HostEntry> EnterAsync(string host, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (gate)
        {
            var found = Find(host);
            if (TryEnter(found, out var entry))
            {
                return entry;
            }

            waiter = new Waiter(found);
            waiter.Node = found.Waiting.AddLast(waiter);
        }

        await using (cancellationToken.UnsafeRegister(_ => GiveUp(waiter, cancellationToken), null))
        {
            return await waiter.Entered.Task;
        }
    }

    internal void Answered(HostLease lease)
    {
        lock (gate)
        {
            var host = lease.Host;
            Close(host);
            host.Answers++;
            host.AnsweredAt = time.GetTimestamp();
            if (host.FullAt >= lease.EnteredAt)
            {
                // Raise the limit only if it was reached during the request; otherwise it may not be too low.
                host.Limit = Math.Min(options.Value.MaxPerHost, host.Limit + (host.IsUntroubled ? 1 : 1 / host.Limit));
            }
        }
    }

    internal void Congested(HostLease lease)
    {
        lock (gate)
        {
            Congest(lease);
        }
    }

    internal void TimedOut(HostLease lease)
    {
        lock (gate)
        {
            // If the host answered a whole round of others in the meantime, the trouble is the URL, not the host.
            if (lease.Host.Answers - lease.AnswersAtEntry < (long)lease.Host.Limit)
            {
                Congest(lease);
            }
            else
            {
                Close(lease.Host);
            }
        }
    }

    internal void Slow(HostLease lease)
    {
        lock (gate)
        {
            if (!lease.IsOver)
            {
                lease.IsSlow = true;
                lease.Host.Slow++;
                LetIn(lease.Host);
            }
        }
    }

    internal void Unreachable(HostLease lease, FetchError cause)
    {
        lock (gate)
        {
            var host = lease.Host;
            var now = time.GetTimestamp();
            host.Cause = cause;
            if (host.Failures++ == 0)
            {
                host.FailingSince = lease.EnteredAt;
            }

            if (host.Failures < options.Value.BreakerThreshold || (host.IsOpen && lease != host.Probe))
            {
                return;
            }

            host.Pause = host.IsOpen
                ? TimeSpan.FromTicks(Math.Min(host.Pause.Ticks * 2, options.Value.BreakerPause.Ticks << MostDoublings))
                : options.Value.BreakerPause;
            host.IsOpen = true;
            host.OpenedAt = now;
            Log.Opened(logger, host.Name, cause, host.Pause);
            foreach (var waiter in host.Waiting)
            {
                waiter.Entered.TrySetResult(new HostEntry(null, Outage(host)));
            }

            host.Waiting.Clear();
        }
    }

    internal void Leave(HostLease lease)
    {
        lock (gate)
        {
            var host = lease.Host;
            host.InFlight--;
            host.Slow -= lease.IsSlow ? 1 : 0;
            host.LastUsed = time.GetTimestamp();
            if (host.Probe == lease)
            {
                host.Probe = null;
            }

            LetIn(host);
        }
    }

    private void Congest(HostLease lease)
    {
        var host = lease.Host;
        Close(host);
        host.IsUntroubled = false;
        if (lease.EnteredAt >= host.HalvedAt)
        {
            // Requests sent before the limit was halved say nothing about the new limit.
            host.Limit = Math.Max(options.Value.MinPerHost, host.Limit / 2);
            host.HalvedAt = time.GetTimestamp();
        }
    }

    private void LetIn(Host host)
    {
        while (host.Waiting.First is { } first && TryEnter(host, out var entry, isFirst: true))
        {
            host.Waiting.RemoveFirst();
            first.Value.Entered.TrySetResult(entry);
        }
    }

    private bool TryEnter(Host host, out HostEntry entry, bool isFirst = false)
    {
        entry = default;
        if (host.IsOpen)
        {
            if (host.Probe is not null || time.GetElapsedTime(host.OpenedAt) < host.Pause)
            {
                entry = new HostEntry(null, Outage(host));
                return true;
            }

            host.Probe = NewLease(host);
            entry = new HostEntry(host.Probe, null);
            return true;
        }

        if (host.InFlight - Lent(host) >= (int)host.Limit || (host.Waiting.Count > 0 && !isFirst))
        {
            return false;
        }

        entry = new HostEntry(NewLease(host), null);
        return true;
    }

    /// <summary>
    /// Slow requests that do not count: a few, or more of a host that answers others at the same time, because it can
    /// take them.
    /// </summary>
    private int Lent(Host host) =>
        Math.Min(host.Slow, IsAnswering(host) ? options.Value.MaxPerHost - (int)host.Limit : options.Value.MinPerHost);

    private bool IsAnswering(Host host) => host.Answers > 0 && time.GetElapsedTime(host.AnsweredAt) < options.Value.AttemptTimeout;

    private HostLease NewLease(Host host)
    {
        host.InFlight++;
        host.LastUsed = time.GetTimestamp();
        if (host.InFlight >= (int)host.Limit)
        {
            host.FullAt = host.LastUsed;
        }

        return new HostLease(this, host, host.LastUsed);
    }

    private HostOutage Outage(Host host) => new(host.Cause, time.GetElapsedTime(host.FailingSince) < options.Value.OutageGrace);

    private void Close(Host host)
    {
        if (host.IsOpen)
        {
            host.IsOpen = false;
            Log.Closed(logger, host.Name);
        }

        host.Failures = 0;
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (waiter.Entered.TrySetCanceled(cancellationToken))
            {
                waiter.Host.Waiting.Remove(waiter.Node!);
            }
        }
    }

    private Host Find(string name)
    {
        if (!hosts.TryGetValue(name, out var host))
        {
            if (hosts.Count >= MaxHosts)
            {
                ForgetHalf();
            }

            host = new Host(name, options.Value.MinPerHost);
            hosts.Add(name, host);
        }

        return host;
    }

    /// <summary>Half at a time, so that the cost of the scan is spread over two thousand new hosts.</summary>
    private void ForgetHalf()
    {
        var unused = hosts.Values.Where(host => host.InFlight == 0 && host.Waiting.Count == 0).OrderBy(host => host.LastUsed);
        foreach (var host in unused.Take(MaxHosts / 2).ToList())
        {
            hosts.Remove(host.Name);
        }
    }

    /// <summary>State of one host; guarded by the limiter's lock.</summary>
    internal sealed class Host(string name, double limit)
    {
        public string Name => name;

        /// <summary>The concurrency limit; the fraction is growth in progress.</summary>
        public double Limit { get; set; } = limit;

        public int InFlight { get; set; }

        /// <summary>Requests among them that have run for <see cref="FetchOptions.SlowAfter"/>.</summary>
        public int Slow { get; set; }

        /// <summary>Number of answered requests, and the time of the last answer.</summary>
        public long Answers { get; set; }

        public long AnsweredAt { get; set; }

        public LinkedList<Waiter> Waiting { get; } = [];

        /// <summary>True until the host first asked for less: until then the limit grows fast.</summary>
        public bool IsUntroubled { get; set; } = true;

        public long HalvedAt { get; set; } = long.MinValue;

        /// <summary>Time at which the limit was last reached.</summary>
        public long FullAt { get; set; } = long.MinValue;

        /// <summary>Failures to resolve or connect since the host last answered.</summary>
        public int Failures { get; set; }

        public long FailingSince { get; set; }

        public FetchError Cause { get; set; }

        public bool IsOpen { get; set; }

        public long OpenedAt { get; set; }

        public TimeSpan Pause { get; set; }

        /// <summary>The one request that tries an open breaker.</summary>
        public HostLease? Probe { get; set; }

        public long LastUsed { get; set; }
    }

    internal sealed class Waiter(Host host)
    {
        public Host Host => host;

        public LinkedListNode<Waiter>? Node { get; set; }

        // Continuations run on other threads, otherwise they would run under the lock here.
        public TaskCompletionSource<HostEntry> Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static partial class Log
    {
        [LoggerMessage(602, LogLevel.Warning, "{Host} cannot be reached ({Cause}); not calling it for {Pause}")]
        public static partial void Opened(ILogger logger, string host, FetchError cause, TimeSpan pause);

        [LoggerMessage(603, LogLevel.Information, "{Host} can be reached again")]
        public static partial void Closed(ILogger logger, string host);
    }
}

/// <summary>One turn at a host. Report at most one outcome, and dispose it when the request is over.</summary>
internal sealed class HostLease : IDisposable
{
    private readonly HostLimiter limiter;

    internal HostLease(HostLimiter limiter, HostLimiter.Host host, long enteredAt)
    {
        this.limiter = limiter;
        Host = host;
        EnteredAt = enteredAt;
        AnswersAtEntry = host.Answers;
    }

    internal HostLimiter.Host Host { get; }

    internal long EnteredAt { get; }

    internal long AnswersAtEntry { get; }

    internal bool IsOver { get; private set; }

    internal bool IsSlow { get; set; }

    /// <summary>The host answered, with any status.</summary>
    public void Answered() => limiter.Answered(this);

    /// <summary>The host asked for fewer requests (429, 503).</summary>
    public void Congested() => limiter.Congested(this);

    /// <summary>The host accepted the connection but did not answer in time, or too slowly.</summary>
    public void TimedOut() => limiter.TimedOut(this);

    /// <summary>The request has run for <see cref="FetchOptions.SlowAfter"/>.</summary>
    public void Slow() => limiter.Slow(this);

    /// <summary>The name was not resolved or no connection was made.</summary>
    public void Unreachable(FetchError cause) => limiter.Unreachable(this, cause);

    public void Dispose()
    {
        if (!IsOver)
        {
            IsOver = true;
            limiter.Leave(this);
        }
    }
}
