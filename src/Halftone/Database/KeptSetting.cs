
namespace Halftone.Database;

/// <summary>A value of this installation that is generated once and stored in the database by the process that asks for it first.</summary>
internal static class KeptSetting
{
    public static Task<string> GetOrAddAsync(
        this HalftoneDatabase database,
        string name,
        string value,
        CancellationToken cancellationToken) => database.WriteAsync(
        async transaction =>
        {
            await transaction.ExecuteAsync(Sql.InsertIfMissing, new { Name = name, Value = value });
            return await transaction.ExecuteScalarAsync<string>(Sql.Select, new { Name = name })
                ?? throw new InvalidOperationException($"'{name}' was not stored.");
        },
        cancellationToken);

    private static class Sql
    {
        public const string InsertIfMissing = "INSERT INTO setting (name, value) VALUES (@Name, @Value) ON CONFLICT (name) DO NOTHING";

        public const string Select = "SELECT value FROM setting WHERE name = @Name";
    }
}
