using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Halftone.Database;

/// <summary>
/// The one SQLite file of a data folder: a single writing connection, because SQLite has one writer, and as many reading
/// connections as there are readers at a time. WAL and <c>synchronous=FULL</c>: a committed transaction survives power loss.
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
        // Each connection is used by one thread at a time, and nobody asks SQLite how much memory it has: without the locks for both an insert
        // costs a fifth less. Both must be said before the first connection; where the library does not take them, it is only slower.
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    /// <param name="path">The file; made when it is missing.</param>
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
            // A point read needs few pages, and there are as many of these connections as readers at a time.
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
                // Not an object of ADO.NET, which begins with the writer's lock and must be named by every command.
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
            // Not deferred: a transaction that reads before it writes would otherwise fail as busy beside another process.
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
    /// A transaction that finds the disk full has been undone by SQLite itself (https://www.sqlite.org/lang_transaction.html). The object of ADO.NET hears
    /// of that at a statement, and not at the commit: undoing it again would then fail, hide why, and leave a connection that can begin no other. It gets
    /// something to undo, and what it leaves is undone here.
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
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = StatementSeconds }.ToString());
        connection.Open();
        // 8 MiB of page cache a connection; temporary tables (one sort for equal URLs) go to files, so memory stays flat.
        connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA temp_store = FILE; PRAGMA wal_autocheckpoint = 4000");
        return connection;
    }
}
