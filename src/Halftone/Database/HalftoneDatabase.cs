using System.Data.Common;

namespace Halftone.Database;

/// <summary>
/// Where requests, products and images are recorded: SQLite for one process, PostgreSQL for any number. The statements are the same on both but for
/// those that stand side by side as <c>…Sqlite</c> and <c>…Postgres</c>, and every guard is in a WHERE, so nothing leans on SQLite having one writer.
/// </summary>
internal abstract class HalftoneDatabase : IAsyncDisposable
{
    /// <summary>For a statement that may touch every row of a large request; the time allowed by default is for those that touch few.</summary>
    public const int LongStatementSeconds = 3_600;

    static HalftoneDatabase()
    {
        GuidType.Register();
        // Rows are mapped by column name: first_image_id is FirstImageId.
        Dapper.DefaultTypeMap.MatchNamesWithUnderscores = true;
    }

    /// <summary>The folder of <c>Migrations/</c> with this engine's scripts.</summary>
    public abstract string Migrations { get; }

    /// <summary>The statement in this engine's words.</summary>
    public abstract string Choose(string sqlite, string postgres);

    /// <summary>How long a statement may take that asks for no other time, in seconds; 0 is without an end.</summary>
    public abstract int StatementSeconds { get; }

    /// <summary>Runs a query outside any transaction of ours; it sees what was committed before it began.</summary>
    public abstract Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>Runs several queries that see one and the same state.</summary>
    public abstract Task<T> ReadSnapshotAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>Runs a transaction: committed when <paramref name="write"/> returns, rolled back when it throws.</summary>
    /// <param name="write">May run twice, where the first time came to nothing: it changes nothing but the database.</param>
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

    /// <summary>Waits for a server that is not yet there, and sees whether it can be used.</summary>
    /// <exception cref="DatabaseException">It cannot.</exception>
    public virtual Task ReachAsync(TimeSpan patience, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Keeps other processes out until this one ends; SQLite's file is kept with its folder.</summary>
    /// <param name="onLost">Called where the database was lost for a while and another process has it now.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="DatabaseException">Another process has it.</exception>
    public virtual Task HoldAsync(Action onLost, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Makes others that would change the schema wait until the transaction ends; SQLite has one writer anyway.</summary>
    public virtual Task LockMigrationsAsync(DbTransaction transaction) => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();
}
