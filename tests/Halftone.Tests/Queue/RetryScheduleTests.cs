using FsCheck;
using FsCheck.Fluent;
using Halftone.Io;
using Halftone.Webhooks;

namespace Halftone.Tests.Queue;

public sealed class RetryScheduleTests
{
    private static readonly IReadOnlyList<TimeSpan> Delays = new WebhookOptions().RetryDelays;

    [Fact]
    public void By_default_there_are_ten_attempts_over_75_hours()
    {
        var waits = Enumerable.Range(1, 10).Select(attempt => RetrySchedule.NextDelay(Delays, attempt, retryAfter: null, chance: 0.5)).ToList();
        Assert.Null(waits[9]);
        Assert.Equal(new TimeSpan(75, 35, 5), waits.Take(9).Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait!.Value));
    }

    [Fact]
    public void A_wait_stays_within_a_tenth_of_the_schedule_whatever_the_chance() =>
        Prop.ForAll(Attempts(), Chances(), (attempt, chance) =>
        {
            var wait = RetrySchedule.NextDelay(Delays, attempt, retryAfter: null, chance)!.Value;
            var planned = Delays[attempt - 1];
            return wait >= planned * 0.899 && wait <= planned * 1.101;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_wait_is_never_shorter_than_the_endpoint_asked_for_nor_than_the_schedule() =>
        Prop.ForAll(Attempts(), Chances(), Gen.Choose(0, 86_400).ToArbitrary(), (attempt, chance, seconds) =>
        {
            var asked = TimeSpan.FromSeconds(seconds);
            var alone = RetrySchedule.NextDelay(Delays, attempt, retryAfter: null, chance)!.Value;
            var wait = RetrySchedule.NextDelay(Delays, attempt, asked, chance)!.Value;
            return wait == (asked > alone ? asked : alone);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Chances_at_both_ends_spread_the_wait()
    {
        Assert.Equal(TimeSpan.FromSeconds(4.5), RetrySchedule.NextDelay(Delays, 1, retryAfter: null, chance: 0));
        Assert.Equal(TimeSpan.FromSeconds(5.5), RetrySchedule.NextDelay(Delays, 1, retryAfter: null, chance: 1));
    }

    [Fact]
    public void After_the_last_attempt_not_even_retry_after_gives_another() =>
        Assert.Null(RetrySchedule.NextDelay([TimeSpan.FromSeconds(1)], 2, TimeSpan.FromSeconds(1), 0.5));

    private static Arbitrary<int> Attempts() => Gen.Choose(1, Delays.Count).ToArbitrary();

    private static Arbitrary<double> Chances() => Gen.Choose(0, 1_000_000).Select(chance => chance / 1_000_000.0).ToArbitrary();
}
