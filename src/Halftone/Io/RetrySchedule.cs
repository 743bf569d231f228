namespace Halftone.Io;

/// <summary>When an image or a delivery that failed is tried again. Pure: the caller brings the chance and keeps the result.</summary>
internal static class RetrySchedule
{
    /// <summary>
    /// A wait is stretched or shortened by up to a tenth, so that all that failed in an hour in which a host was down does
    /// not come back in one second.
    /// </summary>
    public const double Jitter = 0.1;

    /// <summary>
    /// The wait before the next attempt, or null when <paramref name="attempt"/> was the last: the schedule's wait with
    /// jitter, or what the host asked for where that is longer. Never negative.
    /// </summary>
    /// <param name="delays">Waits before the second attempt and each one after: <c>RetryDelays</c> of the stage's options.</param>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="retryAfter">What the host asked for in <c>Retry-After</c>, already limited; null where it did not.</param>
    /// <param name="chance">0 to 1, drawn anew for each call, such as <c>Random.Shared.NextDouble()</c>.</param>
    public static TimeSpan? NextDelay(IReadOnlyList<TimeSpan> delays, int attempt, TimeSpan? retryAfter, double chance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 1);
        if (attempt > delays.Count)
        {
            return null;
        }

        var jittered = delays[attempt - 1] * (1 - Jitter + (2 * Jitter * chance));
        return retryAfter > jittered ? retryAfter : jittered;
    }
}
