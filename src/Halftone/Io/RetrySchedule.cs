namespace Halftone.Io;

/// <summary>
/// Computes when a failed image or delivery is tried again. A pure function: the caller provides the random number and
/// stores the result.
/// </summary>
internal static class RetrySchedule
{
    /// <summary>
    /// A delay is lengthened or shortened by up to a tenth, so that everything that failed during an outage does not
    /// come back in the same second.
    /// </summary>
    public const double Jitter = 0.1;

    /// <summary>
    /// The delay before the next attempt, or null if <paramref name="attempt"/> was the last: the scheduled delay with
    /// jitter, or the wait that the host asked for if it is longer. Never negative.
    /// </summary>
    /// <param name="delays">Delays before the second and later attempts: <c>RetryDelays</c> of the stage's options.</param>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="retryAfter">The wait that the host asked for in <c>Retry-After</c>, already limited; null if it did not.</param>
    /// <param name="chance">0 to 1, a new random number for each call, such as <c>Random.Shared.NextDouble()</c>.</param>
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
