namespace Halftone.Tests.Servers;

/// <summary>What the product records in.</summary>
public enum Engine
{
    Sqlite,
    Postgres,
}

/// <summary>Tests that hold on every database: a class derives for each engine and says no more than which. Each test has a database of its own.</summary>
public abstract class OnEachEngine(Engine engine) : IAsyncLifetime
{
    private string? connectionString;

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    protected Engine Engine { get; } = engine;

    /// <summary>For <c>Database:ConnectionString</c>; empty means SQLite in the data folder.</summary>
    protected string ConnectionString => connectionString ?? "";

    public virtual async ValueTask InitializeAsync()
    {
        if (Engine == Engine.Postgres)
        {
            connectionString = await PostgresServer.NewDatabaseAsync(Cancelled);
        }
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Starts the product on this test's database; a second start finds what the first left.</summary>
    internal Task<HalftoneServer> StartAsync(string? dataFolder = null, params (string Name, string? Value)[] settings) =>
        HalftoneServer.StartAsync(Cancelled, dataFolder, [("Database:ConnectionString", ConnectionString), .. settings]);
}
