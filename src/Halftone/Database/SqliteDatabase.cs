using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Halftone.Database;

/// <summary>
/// The single SQLite file of a data folder: one writing connection, because SQLite has one writer, and as many reading
/// connections as there are concurrent readers. WAL and <c>synchronous=FULL</c>: a committed transaction survives a
/// power failure.
/// </summary>
internal sealed class SqliteDatabase : HalftoneDatabase
{
    private readonly string path;
    private readonly SemaphoreSlim writer = new(1, 1);
    private readonly ConcurrentBag<SqliteConnection> readers = [];
    private SqliteConnection? writing;

    static SqliteDatabase()
    {
        Batteries_V2.Init();
        // Each connection is used by one thread at a time, and nobody asks SQLite for its memory use: without locks for both, an insert
        // costs a fifth less. Both must be set before the first connection; if the library refuses them, it is only slower.
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    /// <param name="path">The file; created if missing.</param>
    public SqliteDatabase(string path) => this.path = path;

    public override string Migrations => "sqlite";

    public override int StatementSeconds => 30;

    public override string Choose(string sqlite, string postgres) => sqlite;

    public override async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!readers.TryTake(out var connection))
        {
            connection = Open(SqliteOpenMode.ReadWrite);
            // A point read needs few pages, and there are as many of these connections as concurrent readers.
            connection.Execute("PRAGMA query_only = ON; PRAGMA cache_size = -1024");
        }

        try
        {
            return await read(connection);
        }
        finally
        {
            readers.Add(connection);
        }
    }

    public override Task<T> ReadSnapshotAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
            {
                // Not an ADO.NET transaction, which starts with the writer's lock and must be passed to every command.
                await connection.ExecuteAsync("BEGIN DEFERRED");
                try
                {
                    return await read(connection);
                }
                finally
                {
                    await connection.ExecuteAsync("COMMIT");
                }
            },
            cancellationToken);

    public override async Task<T> WriteAsync<T>(Func<DbTransaction, Task<T>> write, CancellationToken cancellationToken)
    {
        await writer.WaitAsync(cancellationToken);
        try
        {
            writing ??= Open(SqliteOpenMode.ReadWriteCreate);
            // Not deferred: a transaction that reads before it writes would otherwise fail as busy if another process writes.
            using var transaction = writing.BeginTransaction(deferred: false);
            try
            {
                var result = await write(transaction);
                transaction.Commit();
                return result;
            }
            catch
            {
                RollBack(writing, transaction);
                throw;
            }
        }
        finally
        {
            writer.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await writer.WaitAsync();
        while (readers.TryTake(out var connection))
        {
            connection.Dispose();
        }

        writing?.Dispose();
        writing = null;
        writer.Dispose();
    }

    /// <summary>
    /// If a transaction finds the disk full, SQLite rolls it back itself
    /// (https://www.sqlite.org/lang_transaction.html). The ADO.NET transaction learns of it at a statement, but not at
    /// the commit: rolling back again would then fail, hide the reason, and leave a connection that cannot begin
    /// another transaction. So this begins something to roll back, and rolls back what is left.
    /// </summary>
    private static void RollBack(SqliteConnection connection, SqliteTransaction transaction)
    {
        if (transaction.Connection is not null && raw.sqlite3_get_autocommit(connection.Handle) != 0)
        {
            _ = raw.sqlite3_exec(connection.Handle, "BEGIN");
        }

        transaction.Dispose();
        if (raw.sqlite3_get_autocommit(connection.Handle) == 0)
        {
            _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
        }
    }

    private SqliteConnection Open(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = mode,
                Pooling = false,
                DefaultTimeout = StatementSeconds,
            }.ToString());
        connection.Open();
        // 8 MiB of page cache per connection; temporary tables (one sort for equal URLs) go to files, so memory stays bounded.
        connection.Execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA temp_store = FILE; PRAGMA "
            + "wal_autocheckpoint = 4000");
        return connection;
    }
}
