using Halftone.Compress;
using Halftone.Queue;
using Halftone.Store;
using Halftone.Telemetry;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Halftone.Database;

/// <summary>Growing pauses while something of our own (database, store, broker, disk) is down: 0.1 s, doubling up to 5 s.</summary>
internal sealed class OutageBackoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private TimeSpan next = First;

    public void Reset() => next = First;

    /// <summary>Returns early, without an exception, when cancelled: the caller's loop looks at its token.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var pause = next;
        next = TimeSpan.FromTicks(Math.Min(Longest.Ticks, next.Ticks * 2));
        await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// True for failures of our own surroundings, which pass: they are waited out inside the worker and never cost an image an
    /// attempt. Everything else is a bug or bad data and must not be repeated for ever.
    /// </summary>
    public static bool IsOutage(Exception exception) => exception switch
    {
        // BUSY 5, LOCKED 6, IOERR 10, FULL 13, CANTOPEN 14, https://www.sqlite.org/rescode.html
        SqliteException sqlite => sqlite.SqliteErrorCode is 5 or 6 or 10 or 13 or 14,
        NpgsqlException postgres => PostgresDatabase.IsOutage(postgres),
        // A transaction or connection that broke between two statements.
        ObjectDisposedException { ObjectName: nameof(NpgsqlTransaction) or nameof(NpgsqlConnection) } => true,
        CodecUnavailableException or StoreUnavailableException or QueueUnavailableException => true,
        FileNotFoundException or DirectoryNotFoundException => false,
        IOException or UnauthorizedAccessException => true,
        _ => false,
    };

    /// <summary>Repeats <paramref name="work"/> while our own surroundings fail.</summary>
    public static async Task<T> WaitOutAsync<T>(Func<Task<T>> work, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var backoff = new OutageBackoff(time);
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (IsOutage(exception))
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
    public const int OutageEvent = 701;

    public static void Outage(ILogger logger, string reason)
    {
        Instruments.Outage();
        Write(logger, reason);
    }

    [LoggerMessage(OutageEvent, LogLevel.Warning, "Database, queue, store or codec failed, work waits: {Reason}")]
    private static partial void Write(ILogger logger, string reason);
}
