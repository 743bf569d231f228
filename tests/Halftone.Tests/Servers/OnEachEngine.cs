using Halftone.Database;
using Halftone.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;

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
    private readonly Lazy<DirectoryInfo> folder = new(() => Directory.CreateTempSubdirectory("halftone-test-"));
    private string connectionString = "";

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    protected Engine Engine { get; } = engine;

    /// <summary>A data folder; removed with the test.</summary>
    protected string Folder => folder.Value.FullName;

    public async ValueTask InitializeAsync()
    {
        connectionString = Engine == Engine.Postgres ? await PostgresServer.NewDatabaseAsync(Cancelled) : "";
        await SetUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await TearDownAsync();
        if (folder.IsValueCreated)
        {
            folder.Value.Delete(recursive: true);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Before each test, with the database at hand.</summary>
    protected virtual ValueTask SetUpAsync() => ValueTask.CompletedTask;

    /// <summary>After each test, also where <see cref="SetUpAsync"/> was not reached.</summary>
    protected virtual ValueTask TearDownAsync() => ValueTask.CompletedTask;

    /// <summary>Starts the product on this test's database; a second start finds what the first left.</summary>
    internal Task<HalftoneServer> StartAsync(string? dataFolder = null, params (string Name, string? Value)[] settings) =>
        HalftoneServer.StartAsync(Cancelled, dataFolder, [("Database:ConnectionString", connectionString), .. settings]);

    /// <summary>The product on this test's database, built and never started: nothing moves but what the test moves. Several are as many processes.</summary>
    internal WebApplication Build() => ServerBuilder.Build(ServerBuilder.Create(new Dictionary<string, string?>
    {
        ["Data:Folder"] = Folder,
        ["Database:ConnectionString"] = connectionString,
        ["Server:PublicUrl"] = "http://halftone.example",
        ["Logging:LogLevel:Default"] = "None",
    }));

    /// <summary>This test's database, with every migration.</summary>
    internal async Task<HalftoneDatabase> OpenDatabaseAsync()
    {
        HalftoneDatabase database = Engine == Engine.Postgres ? OpenPostgres(connectionString) : new SqliteDatabase(Path.Combine(Folder, "halftone.db"));
        await new Migrator(database, TimeProvider.System).MigrateAsync(Cancelled);
        return database;
    }

    internal static PostgresDatabase OpenPostgres(string connectionString) =>
        new(PostgresAddress.Parse(connectionString), TimeProvider.System, NullLogger<PostgresDatabase>.Instance);
}
