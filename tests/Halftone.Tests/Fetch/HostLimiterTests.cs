using Halftone.Fetch;
using Halftone.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Fetch;

public class HostLimiterTests
{
    private const string Shop = "shop.test:443";

    private readonly ManualTimeProvider time = new();

    [Fact]
    public void A_host_begins_with_four_requests_at_once()
    {
        var hosts = NewLimiter();

        Assert.Equal(4, TakeAll(hosts).Count);
    }

    [Fact]
    public void A_host_that_answers_gets_more_up_to_the_limit()
    {
        var hosts = NewLimiter(options => options.MaxPerHost = 20);

        for (var round = 0; round < 10; round++)
        {
            AnswerAll(TakeAll(hosts));
        }

        Assert.Equal(20, TakeAll(hosts).Count);
    }

    [Fact]
    public void A_host_that_is_asked_for_little_keeps_its_limit()
    {
        var hosts = NewLimiter();

        for (var request = 0; request < 1000; request++)
        {
            AnswerAll([Take(hosts)!]);
        }

        Assert.Equal(4, TakeAll(hosts).Count);
    }

    [Fact]
    public void Trouble_halves_the_limit_once_for_all_requests_that_were_on_their_way()
    {
        var hosts = NewLimiter();
        AnswerAll(TakeAll(hosts));
        AnswerAll(TakeAll(hosts));
        var leases = TakeAll(hosts);
        var before = leases.Count;
        Assert.True(before >= 12);

        time.Advance(TimeSpan.FromSeconds(1));
        foreach (var lease in leases)
        {
            lease.Congested();
            lease.Dispose();
        }

        Assert.Equal(before / 2, TakeAll(hosts).Count);
    }

    [Fact]
    public void Trouble_never_leaves_less_than_four_and_growth_is_slow_after_it()
    {
        var hosts = NewLimiter();
        for (var round = 0; round < 10; round++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            var lease = Take(hosts)!;
            lease.Congested();
            lease.Dispose();
        }

        Assert.Equal(4, Count(hosts));
        AnswerAll(TakeAll(hosts));
        AnswerAll(TakeAll(hosts));
        Assert.InRange(Count(hosts), 5, 6);
    }

    [Fact]
    public async Task Who_waits_gets_a_turn_in_the_order_of_asking()
    {
        var hosts = NewLimiter();
        var leases = TakeAll(hosts);
        var second = hosts.EnterAsync(Shop, TestContext.Current.CancellationToken);
        var third = hosts.EnterAsync(Shop, TestContext.Current.CancellationToken);
        Assert.False(hosts.TryEnter(Shop, out _));

        leases[0].Dispose();
        var entry = await second;
        Assert.NotNull(entry.Lease);
        Assert.False(third.IsCompleted);
        entry.Lease.Dispose();
        Assert.NotNull((await third).Lease);
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_no_turn()
    {
        var hosts = NewLimiter();
        var leases = TakeAll(hosts);
        using var stop = new CancellationTokenSource();
        var impatient = hosts.EnterAsync(Shop, stop.Token);
        var patient = hosts.EnterAsync(Shop, TestContext.Current.CancellationToken);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await impatient);
        leases[0].Dispose();
        Assert.NotNull((await patient).Lease);
    }

    [Fact]
    public async Task Four_failures_to_connect_end_everyone_who_waits_and_asks()
    {
        var hosts = NewLimiter();
        var leases = TakeAll(hosts);
        var waiting = hosts.EnterAsync(Shop, TestContext.Current.CancellationToken);

        FailAll(leases);

        Assert.Equal(new HostOutage(FetchError.ConnectTimedOut, IsYoung: true), (await waiting).Outage);
        Assert.True(hosts.TryEnter(Shop, out var entry));
        Assert.Equal(FetchError.ConnectTimedOut, entry.Outage!.Cause);
        Assert.NotNull(Take(hosts, "other.test:443"));
    }

    [Fact]
    public void Answers_between_failures_keep_a_host_open_however_bad_they_are()
    {
        var hosts = NewLimiter();
        for (var round = 0; round < 10; round++)
        {
            FailAll([Take(hosts)!, Take(hosts)!, Take(hosts)!]);
            time.Advance(TimeSpan.FromSeconds(1));
            var lease = Take(hosts)!;
            lease.Congested();
            lease.Dispose();
        }

        Assert.NotNull(Take(hosts));
    }

    [Fact]
    public void After_a_pause_one_request_tries_and_its_answer_opens_the_host_again()
    {
        var hosts = NewLimiter();
        FailAll(TakeAll(hosts));

        time.Advance(TimeSpan.FromSeconds(1));
        var probe = Take(hosts);
        Assert.NotNull(probe);
        Assert.Null(Take(hosts));
        probe.Answered();
        probe.Dispose();
        Assert.Equal(4, TakeAll(hosts).Count);
    }

    [Fact]
    public void Each_failed_try_doubles_the_pause()
    {
        var hosts = NewLimiter();
        FailAll(TakeAll(hosts));

        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 64, 64 })
        {
            time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.Null(Take(hosts));
            time.Advance(TimeSpan.FromMilliseconds(1));
            FailAll([Take(hosts)!]);
        }
    }

    [Fact]
    public void A_try_that_is_called_off_leaves_the_next_one_to_try()
    {
        var hosts = NewLimiter();
        FailAll(TakeAll(hosts));
        time.Advance(TimeSpan.FromSeconds(1));

        Take(hosts)!.Dispose();

        Assert.NotNull(Take(hosts));
    }

    [Fact]
    public void An_outage_is_worth_retrying_while_it_is_young()
    {
        var hosts = NewLimiter();
        FailAll(TakeAll(hosts));

        hosts.TryEnter(Shop, out var early);
        Assert.True(early.Outage!.IsYoung);
        time.Advance(TimeSpan.FromSeconds(15));
        FailAll([Take(hosts)!]);
        hosts.TryEnter(Shop, out var late);
        Assert.False(late.Outage!.IsYoung);
    }

    [Fact]
    public void Memory_is_bounded_over_any_number_of_hosts_and_busy_ones_are_kept()
    {
        var hosts = NewLimiter();
        var busy = TakeAll(hosts);

        for (var number = 0; number < 50_000; number++)
        {
            Take(hosts, $"host{number}.test:443")!.Dispose();
        }

        Assert.InRange(hosts.HostCount, 1, HostLimiter.MaxHosts);
        Assert.False(hosts.TryEnter(Shop, out _));
        Assert.Equal(4, busy.Count);
    }

    [Fact]
    public void Slow_requests_make_way_for_a_few_others_and_for_many_where_the_host_answers_those()
    {
        var hosts = NewLimiter();
        var first = TakeAll(hosts);
        first.ForEach(lease => lease.Slow());
        var second = TakeAll(hosts);
        Assert.Equal(4, second.Count);
        second.ForEach(lease => lease.Slow());
        Assert.Empty(TakeAll(hosts));

        second[0].Answered();
        second[0].Dispose();
        var third = TakeAll(hosts);
        Assert.Equal(5, third.Count); // an answer raises the limit
        third.ForEach(lease => lease.Slow());
        time.Advance(new FetchOptions().AttemptTimeout);
        Assert.Empty(TakeAll(hosts));

        foreach (var lease in first.Concat(second).Concat(third))
        {
            lease.Dispose();
            lease.Slow();
        }

        Assert.Equal(5, Count(hosts));
    }

    [Fact]
    public void All_requests_together_stay_below_the_limit_however_many_are_slow()
    {
        var hosts = NewLimiter();
        Take(hosts)!.Answered();
        var all = 0;
        for (var round = 0; round < 50; round++)
        {
            var leases = TakeAll(hosts);
            leases.ForEach(lease => lease.Slow());
            all += leases.Count;
        }

        Assert.InRange(all, 60, 64);
    }

    [Fact]
    public async Task A_request_that_becomes_slow_lets_in_who_waits()
    {
        var hosts = NewLimiter();
        var leases = TakeAll(hosts);
        var waiting = hosts.EnterAsync(Shop, TestContext.Current.CancellationToken);

        leases[0].Slow();

        Assert.NotNull((await waiting).Lease);
    }

    [Fact]
    public void A_request_that_times_out_while_the_host_answers_others_is_not_the_hosts_trouble()
    {
        var hosts = NewLimiter();
        var bad = Take(hosts)!;
        for (var round = 0; round < 10; round++)
        {
            AnswerAll(TakeAll(hosts));
        }

        bad.TimedOut();
        bad.Dispose();
        var limit = Count(hosts);
        Assert.InRange(limit, 8, 64);

        bad = Take(hosts)!;
        time.Advance(TimeSpan.FromSeconds(1));
        bad.TimedOut();
        bad.Dispose();
        Assert.Equal(limit / 2, Count(hosts));
    }

    private HostLimiter NewLimiter(Action<FetchOptions>? configure = null)
    {
        var options = new FetchOptions();
        configure?.Invoke(options);
        return new HostLimiter(Options.Create(options), time, NullLogger<HostLimiter>.Instance);
    }

    private static HostLease? Take(HostLimiter hosts, string host = Shop) => hosts.TryEnter(host, out var entry) ? entry.Lease : null;

    private static List<HostLease> TakeAll(HostLimiter hosts)
    {
        List<HostLease> leases = [];
        while (Take(hosts) is { } lease)
        {
            leases.Add(lease);
        }

        return leases;
    }

    private static int Count(HostLimiter hosts)
    {
        var leases = TakeAll(hosts);
        leases.ForEach(lease => lease.Dispose());
        return leases.Count;
    }

    private static void AnswerAll(List<HostLease> leases)
    {
        leases.ForEach(lease => lease.Answered());
        leases.ForEach(lease => lease.Dispose());
    }

    private static void FailAll(List<HostLease> leases)
    {
        leases.ForEach(lease => lease.Unreachable(FetchError.ConnectTimedOut));
        leases.ForEach(lease => lease.Dispose());
    }
}
