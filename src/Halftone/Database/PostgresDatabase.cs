using System.Data;
using System.Data.Common;
using Dapper;
using Halftone.Io;
using Npgsql;

namespace Halftone.Database;

/// <summary>
/// A PostgreSQL database for any number of processes. Transactions are READ COMMITTED: each statement sees what was
/// committed before it started, and a row changed by another transaction is read again once it is unlocked.
/// </summary>
internal sealed class PostgresDatabase : HalftoneDatabase
{
    /// <summary>
    /// Key space of the advisory locks, which are shared with everything else in the database: the letters 'half' and a
    /// number.
    /// </summary>
    private const int LockSpace = 0x68616C66;

    /// <summary>
    /// Releases the locks of a machine that lost power after 25 s instead of two hours, and those of a process that was
    /// suspended inside a transaction after a minute.
    /// </summary>
    public const string LetGoOfTheDead = """
        SET tcp_keepalives_idle = 10;
        SET tcp_keepalives_interval = 5;
        SET tcp_keepalives_count = 3;
        SET idle_in_transaction_session_timeout = '60s'
        """;

    private readonly string connectionString;
    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private PostgresHold? hold;

    /// <param name="connectionString">The value of <see cref="PostgresAddress.Parse"/>.</param>
    /// <param name="time">Measures pauses.</param>
    /// <param name="logger">Logs outages.</param>
    public PostgresDatabase(string connectionString, TimeProvider time, ILogger<PostgresDatabase> logger)
    {
        this.connectionString = connectionString;
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.UsePhysicalConnectionInitializer(
            connection => connection.Execute(LetGoOfTheDead),
            connection => connection.ExecuteAsync(LetGoOfTheDead));
        source = builder.Build();
        this.time = time;
        this.logger = logger;
        StatementSeconds = new NpgsqlConnectionStringBuilder(connectionString).CommandTimeout;
    }

    public override string Migrations => "postgres";

    public override string Choose(string sqlite, string postgres) => postgres;

    public override int StatementSeconds { get; }

    public override Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken) =>
        OnceMoreAsync(
            async () =>
            {
                await using var connection = await source.OpenConnectionAsync(cancellationToken);
                return await read(connection);
            });

    public override Task<T> ReadSnapshotAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken) =>
        OnceMoreAsync(
            async () =>
            {
                await using var connection = await source.OpenConnectionAsync(cancellationToken);
                await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
                return await read(connection);
            });

    public override async Task<T> WriteAsync<T>(Func<DbTransaction, Task<T>> write, CancellationToken cancellationToken)
    {
        var (transaction, result) = await OnceMoreAsync(() => BeginAndWriteAsync(write, cancellationToken));
        await using var connection = transaction.OpenConnection;
        await using (transaction)
        {
            // Not retried here: a commit whose answer was lost may have succeeded, and only the caller knows what that means.
            await transaction.CommitAsync(cancellationToken);
        }

        return result;
    }

    public override async Task ReachAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var backoff = new OutageBackoff(time);
        while (true)
        {
            try
            {
                var encoding = await ReadAsync(connection => connection.ExecuteScalarAsync<string>(Sql.Encoding), cancellationToken);
                if (encoding != "UTF8")
                {
                    throw new DatabaseException(
                        $"The encoding of the database is {encoding}, which cannot store every product name. Create a database with "
                        + "ENCODING 'UTF8' and name it in Database:ConnectionString.");
                }

                return;
            }
            catch (NpgsqlException exception) when (Outage.Is(exception) && time.GetElapsedTime(started) < patience)
            {
                OutageLog.Outage(logger, exception.Message);
                await backoff.WaitAsync(cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    public override async Task HoldAsync(Action onLost, CancellationToken cancellationToken) =>
        hold ??= await PostgresHold.TakeAsync(connectionString, (LockSpace, 1), onLost, time, logger, cancellationToken);

    public override Task LockMigrationsAsync(DbTransaction transaction) =>
        transaction.ExecuteAsync(Sql.LockMigrations, new { Space = LockSpace, Key = 2 }, commandTimeout: LongStatementSeconds);

    public override async ValueTask DisposeAsync()
    {
        if (hold is not null)
        {
            await hold.DisposeAsync();
        }

        await source.DisposeAsync();
    }

    private async Task<(NpgsqlTransaction Transaction, T Result)> BeginAndWriteAsync<T>(
        Func<DbTransaction, Task<T>> write,
        CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            return (transaction, await write(transaction));
        }
        catch
        {
            // Rolls back.
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// True for a pooled connection whose server was restarted, and for the victim of a deadlock: each fails once,
    /// without any effect.
    /// </summary>
    private static async Task<T> OnceMoreAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (NpgsqlException exception) when (Outage.Is(exception) && exception.InnerException is not TimeoutException)
        {
            return await work();
        }
    }

    private static class Sql
    {
        public const string Encoding = "SHOW server_encoding";

        /// <summary>Waits for other migrations; released at the end of the transaction.</summary>
        public const string LockMigrations = "SELECT pg_advisory_xact_lock(@Space, @Key)";
    }
}

/// <summary>The database cannot be used as it is; the message says what to do.</summary>
internal sealed class DatabaseException(string message) : Exception(message);
