using System.Data.Common;

namespace Halftone.Database;

/// <summary>
/// The database of requests, products and images: SQLite for one process, PostgreSQL for any number. Both use the same
/// statements, except for pairs named <c>…Sqlite</c> and <c>…Postgres</c>. Every guard is in a WHERE clause, so nothing
/// relies on SQLite having a single writer.
/// </summary>
internal abstract class HalftoneDatabase : IAsyncDisposable
{
    /// <summary>Timeout of a statement that may touch every row of a large request; the default is for statements that touch few.</summary>
    public const int LongStatementSeconds = 3_600;

    static HalftoneDatabase()
    {
        GuidType.Register();
        // Rows are mapped by column name: first_image_id is FirstImageId.
        Dapper.DefaultTypeMap.MatchNamesWithUnderscores = true;
    }

    /// <summary>The folder in <c>Migrations/</c> with the scripts of this engine.</summary>
    public abstract string Migrations { get; }

    /// <summary>Chooses the statement for this engine.</summary>
    public abstract string Choose(string sqlite, string postgres);

    /// <summary>Default timeout of a statement, in seconds; 0 means no timeout.</summary>
    public abstract int StatementSeconds { get; }

    /// <summary>Runs a query outside any transaction; it sees what was committed before it started.</summary>
    public abstract Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>Runs several queries on one snapshot.</summary>
    public abstract Task<T> ReadSnapshotAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>Runs a transaction: commits when <paramref name="write"/> returns, rolls back when it throws.</summary>
    /// <param name="write">May run twice, if the first run had no effect; must change nothing but the database.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public abstract Task<T> WriteAsync<T>(Func<DbTransaction, Task<T>> write, CancellationToken cancellationToken);

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<DbTransaction, Task> write, CancellationToken cancellationToken) =>
        WriteAsync(
            async transaction =>
            {
                await write(transaction);
                return true;
            },
            cancellationToken);

    /// <summary>Waits for a server that is not available yet, and checks that it can be used.</summary>
    /// <exception cref="DatabaseException">It cannot be used.</exception>
    public virtual Task ReachAsync(TimeSpan patience, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Keeps other processes out until this one ends; SQLite's file is locked with its folder.</summary>
    /// <param name="onLost">Called if the database was unavailable and another process took it over.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="DatabaseException">Another process uses it.</exception>
    public virtual Task HoldAsync(Action onLost, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Makes others that would change the schema wait until the transaction ends; SQLite has one writer anyway.</summary>
    public virtual Task LockMigrationsAsync(DbTransaction transaction) => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();
}
