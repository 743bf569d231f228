using System.Globalization;
using System.Reflection;

namespace Halftone.Database;

/// <summary>
/// Updates a database to this version with the numbered scripts in <c>Migrations/</c>, each in one transaction together
/// with the record that it ran. A released script is never edited; a change is a new script.
/// </summary>
internal sealed class Migrator(HalftoneDatabase database, TimeProvider time)
{
    /// <summary>Runs the missing scripts.</summary>
    /// <returns>The names of the scripts that ran, in order; empty if there was nothing to do.</returns>
    /// <exception cref="NewerDatabaseException">A newer Halftone has used this database.</exception>
    public Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken) =>
        database.WriteAsync<IReadOnlyList<string>>(
            async transaction =>
            {
                await database.LockMigrationsAsync(transaction);
                await transaction.ExecuteAsync(Sql.CreateMigrationTable);
                var done = (await transaction.QueryAsync<string>(Sql.AppliedMigrations)).ToHashSet(StringComparer.Ordinal);
                var scripts = Scripts();
                if (done.Except(scripts.Select(s => s.Name)).FirstOrDefault() is { } unknown)
                {
                    throw new NewerDatabaseException(
                        $"This database was used by a newer Halftone (it has migration '{unknown}'). Run that version, or use another "
                        + "database.");
                }

                var ran = new List<string>();
                foreach (var (name, sql) in scripts.Where(s => !done.Contains(s.Name)))
                {
                    await transaction.ExecuteAsync(sql, commandTimeout: HalftoneDatabase.LongStatementSeconds);
                    await transaction.ExecuteAsync(
                        Sql.NoteMigration,
                        new { Name = name, AppliedAt = time.GetUtcNow().ToUnixTimeMilliseconds() });
                    ran.Add(name);
                }

                return ran;
            },
            cancellationToken);

    private List<(string Name, string Sql)> Scripts()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var prefix = $"Halftone.Database.Migrations.{database.Migrations}.";
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(n => n.StartsWith(prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(n =>
                {
                    using var reader = new StreamReader(assembly.GetManifestResourceStream(n)!);
                    return (n[prefix.Length..].Replace(".sql", "", true, CultureInfo.InvariantCulture), reader.ReadToEnd());
                }),
        ];
    }

    private static class Sql
    {
        public const string CreateMigrationTable = """
            CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)
            """;

        public const string AppliedMigrations = "SELECT name FROM migration ORDER BY name";

        public const string NoteMigration = "INSERT INTO migration (name, applied_at) VALUES (@Name, @AppliedAt)";
    }
}

/// <summary>The database has a migration that this version does not know; the message says what to do.</summary>
internal sealed class NewerDatabaseException(string message) : Exception(message);
