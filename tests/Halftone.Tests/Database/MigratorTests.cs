using Dapper;
using Halftone.Database;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Database;

public abstract class MigratorTests(Engine engine) : OnEachEngine(engine)
{
    [Fact]
    public async Task Of_many_that_start_at_once_on_an_empty_database_one_migrates_and_the_others_find_it_done()
    {
        var empty = Engine == Engine.Postgres
            ? await (await PostgresServer.CommonAsync(Cancelled)).CreateEmptyDatabaseAsync("", Cancelled)
            : "";
        var databases = Enumerable.Range(0, 6)
            .Select(_ => Engine == Engine.Postgres
                ? OpenPostgres(empty)
                : (HalftoneDatabase)new SqliteDatabase(Path.Combine(Folder, "halftone.db")))
            .ToArray();
        var ran = await Task.WhenAll(
            databases.Select(database => Task.Run(() => new Migrator(database, TimeProvider.System).MigrateAsync(Cancelled), Cancelled)));

        Assert.Equal("0001_first", Assert.Single(ran, scripts => scripts.Count > 0)[0]);
        Assert.Empty(await new Migrator(databases[0], TimeProvider.System).MigrateAsync(Cancelled));
        foreach (var database in databases)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        await using var database = await OpenDatabaseAsync();
        await database.WriteAsync(
            transaction => transaction.Connection!.ExecuteAsync(
                "INSERT INTO migration (name, applied_at) VALUES ('9999_later', 0)", transaction: transaction),
            Cancelled);
        var refused = await Assert.ThrowsAsync<NewerDatabaseException>(
            () => new Migrator(database, TimeProvider.System).MigrateAsync(Cancelled));
        Assert.Contains("9999_later", refused.Message);
    }

    [Fact]
    public async Task Both_engines_have_the_same_tables_views_and_columns()
    {
        await using var sqlite = new SqliteDatabase(Path.Combine(Folder, "compare.db"));
        await new Migrator(sqlite, TimeProvider.System).MigrateAsync(Cancelled);
        await using var database = await OpenDatabaseAsync();
        var columns = database.Choose(
            "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')",
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'");
        var ofSqlite = await sqlite.ReadAsync(
            connection => connection.QueryAsync<string>(
                "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')"),
            Cancelled);
        Assert.Equal(
            ofSqlite.Order(StringComparer.Ordinal),
            (await database.ReadAsync(connection => connection.QueryAsync<string>(columns), Cancelled)).Order(StringComparer.Ordinal));
    }
}

public sealed class MigratorOnSqlite() : MigratorTests(Engine.Sqlite);

public sealed class MigratorOnPostgres() : MigratorTests(Engine.Postgres);
