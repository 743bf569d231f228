using System.Reflection;
using System.Text.RegularExpressions;
using Dapper;
using Halftone.Database;
using Halftone.Tests.Servers;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Halftone.Tests.Database;

/// <summary>
/// Every statement of every <c>Sql</c> class, prepared against the schema: a misspelt column or a word of the other engine is found here.
/// </summary>
public abstract partial class StatementTests(Engine engine) : OnEachEngine(engine)
{
    /// <summary>PostgreSQL prepares queries only; these are run, for they change nothing.</summary>
    private static readonly string[] Run = ["SHOW ", "CREATE TABLE IF NOT EXISTS "];

    /// <summary>Of these the server cannot find it out: a statement asks first whether they are there at all.</summary>
    private static readonly string[] Texts = ["@WebhookUrl", "@OnlyWebhookId"];

    [Fact]
    public async Task Every_statement_can_be_prepared()
    {
        await using var database = await OpenDatabaseAsync();
        var wrong = new List<string>();
        var statements = Statements().ToArray();
        foreach (var (name, sql) in statements)
        {
            try
            {
                await database.WriteAsync(transaction => PrepareAsync(transaction.Connection!, sql), Cancelled);
            }
            catch (Exception exception) when (exception is SqliteException or PostgresException)
            {
                wrong.Add($"{name}: {exception.Message}");
            }
        }

        Assert.Empty(wrong);
        Assert.True(statements.Length > 70, $"Only {statements.Length} statements were found.");
    }

    [Fact]
    public void Statements_of_one_engine_stand_beside_those_of_the_other()
    {
        var names = AllStatements().Select(statement => statement.Name).ToHashSet(StringComparer.Ordinal);
        Assert.All(
            names.Where(
                name => name.EndsWith("Sqlite", StringComparison.Ordinal) && !name.Contains("ChunkInsert", StringComparison.Ordinal)),
            name => Assert.Contains(name.Replace("Sqlite", "Postgres", StringComparison.Ordinal), names));
    }

    private static async Task PrepareAsync(System.Data.Common.DbConnection connection, string sql)
    {
        if (connection is SqliteConnection sqlite)
        {
            await using var command = sqlite.CreateCommand();
            command.CommandText = sql;
            await command.PrepareAsync(Cancelled);
        }
        else if (sql.StartsWith("COPY ", StringComparison.Ordinal))
        {
            // Ended without being completed, which takes it back.
            await ((NpgsqlConnection)connection).BeginBinaryImport(sql).DisposeAsync();
        }
        else
        {
            foreach (var statement in sql.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                await connection.ExecuteAsync(Run.Any(statement.StartsWith) ? statement : Prepare(statement));
            }
        }
    }

    /// <summary>With <c>$1</c>, <c>$2</c> for the parameters, as the server knows them, of the types that it finds out.</summary>
    private static string Prepare(string statement)
    {
        var names = new List<string>();
        var numbered = Parameters().Replace(statement, match =>
        {
            if (!names.Contains(match.Value))
            {
                names.Add(match.Value);
            }

            return $"${names.IndexOf(match.Value) + 1}";
        });
        var types = names.Count == 0 ? "" : $"({string.Join(", ", names.Select(name => Texts.Contains(name) ? "text" : "unknown"))})";
        return $"PREPARE statement {types} AS {numbered}; DEALLOCATE statement";
    }

    private IEnumerable<(string Name, string Sql)> Statements() =>
        AllStatements().Where(statement =>
            !statement.Name.EndsWith(Engine == Engine.Sqlite ? "Postgres" : "Sqlite", StringComparison.Ordinal)
                && !(Engine == Engine.Sqlite && statement.Name.StartsWith("Postgres", StringComparison.Ordinal)));

    private static IEnumerable<(string Name, string Sql)> AllStatements() =>
        from type in typeof(HalftoneDatabase).Assembly.GetTypes()
        where type.Name == "Sql"
        from field in type.GetFields(BindingFlags.Public | BindingFlags.Static)
        select ($"{type.DeclaringType!.Name}.{field.Name}", (string)field.GetRawConstantValue()!);

    [GeneratedRegex(@"(?<!:)@\w+")]
    private static partial Regex Parameters();
}

public sealed class StatementsOnSqlite() : StatementTests(Engine.Sqlite);

public sealed class StatementsOnPostgres() : StatementTests(Engine.Postgres);
