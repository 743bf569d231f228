using Halftone.Telemetry;

namespace Halftone.Io;

/// <summary>
/// Growing pauses while a part of our own installation (database, store, broker, disk) is down: 0.1 s, doubling up to 5
/// s.
/// </summary>
internal sealed class OutageBackoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private TimeSpan next = First;

    public void Reset() => next = First;

    /// <summary>Returns early, without an exception, when cancelled: the caller's loop checks its token.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var pause = next;
        next = TimeSpan.FromTicks(Math.Min(Longest.Ticks, next.Ticks * 2));
        await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Tries something not worth waiting for: during an outage, returns <paramref name="otherwise"/>.</summary>
    public static async Task<T> TryOnceAsync<T>(Func<Task<T>> work, T otherwise, ILogger logger)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            OutageLog.Outage(logger, exception.Message);
            return otherwise;
        }
    }

    /// <summary>Repeats <paramref name="work"/> during an outage of our own installation.</summary>
    public static async Task<T> WaitOutAsync<T>(Func<Task<T>> work, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var backoff = new OutageBackoff(time);
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (Outage.Is(exception))
            {
                OutageLog.Outage(logger, exception.Message);
                await backoff.WaitAsync(cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}

internal static partial class OutageLog
{
    public const int OutageEvent = 301;

    public static void Outage(ILogger logger, string reason)
    {
        Instruments.Outage();
        Write(logger, reason);
    }

    [LoggerMessage(OutageEvent, LogLevel.Warning, "Database, queue, store or codec failed; work is waiting: {Reason}")]
    private static partial void Write(ILogger logger, string reason);
}
