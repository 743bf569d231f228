using Dapper;
using Npgsql;

namespace Halftone.Database;

/// <summary>
/// Reserves a PostgreSQL database for one process with an advisory lock that ends with its connection, however the
/// process ends. If the connection breaks, the lock is taken again; if another process was faster, this one must stop.
/// </summary>
internal sealed partial class PostgresHold : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    /// <summary>Maximum time that the server takes to notice that the connection with the lock is gone.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string connectionString;
    private readonly (int Space, int Key) key;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stop = new();
    private NpgsqlConnection connection;
    private Task watching = Task.CompletedTask;

    private PostgresHold(string connectionString, NpgsqlConnection connection, (int Space, int Key) key, TimeProvider time, ILogger logger)
    {
        (this.connectionString, this.connection, this.key, this.time, this.logger) = (connectionString, connection, key, time, logger);
    }

    /// <exception cref="DatabaseException">Another process uses it.</exception>
    public static async Task<PostgresHold> TakeAsync(
        string connectionString,
        (int Space, int Key) key,
        Action onLost,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        if (await TryTakeAsync(connectionString, key, cancellationToken) is not { } connection)
        {
            throw new DatabaseException(
                "Another Halftone process is using this PostgreSQL database. With the queue inside the process, only one can use it: "
                + "stop the other, or set another database in Database:ConnectionString.");
        }

        var hold = new PostgresHold(connectionString, connection, key, time, logger);
        hold.watching = hold.WatchAsync(onLost);
        return hold;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        await connection.DisposeAsync();
        stop.Dispose();
    }

    private static async Task<NpgsqlConnection?> TryTakeAsync(
        string connectionString,
        (int Space, int Key) key,
        CancellationToken cancellationToken)
    {
        // A connection of its own, because the pool would give it, and the lock with it, to others.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ToString());
        try
        {
            await connection.OpenAsync(cancellationToken);
            await connection.ExecuteAsync(PostgresDatabase.LetGoOfTheDead);
            if (await connection.ExecuteScalarAsync<bool>(Sql.TryLock, new { key.Space, key.Key }))
            {
                return connection;
            }
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }

        await connection.DisposeAsync();
        return null;
    }

    private async Task WatchAsync(Action onLost)
    {
        long? refused = null;
        while (true)
        {
            await Task.Delay(LookInterval, time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            try
            {
                if (connection.State == System.Data.ConnectionState.Open)
                {
                    await connection.ExecuteScalarAsync<int>(Sql.Look);
                }
                else if (await TryTakeAsync(connectionString, key, stop.Token) is { } again)
                {
                    await connection.DisposeAsync();
                    (connection, refused) = (again, null);
                }
                else if (time.GetElapsedTime(refused ??= time.GetTimestamp()) > Patience)
                {
                    Log.Lost(logger);
                    onLost();
                    return;
                }
            }
            catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException)
            {
                // The server is down, and so is the work that the lock guards; check again in a moment.
            }
        }
    }

    private static class Sql
    {
        public const string TryLock = "SELECT pg_try_advisory_lock(@Space, @Key)";

        public const string Look = "SELECT 1";
    }

    private static partial class Log
    {
        [LoggerMessage(
            401,
            LogLevel.Critical,
            "Another Halftone process took over the database while it was down. With the queue inside the process, only one can "
            + "use it, so this process stops")]
        public static partial void Lost(ILogger logger);
    }
}
