using Dapper;
using Halftone.Database;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

/// <summary>
/// The secret that signs deliveries to an upload's <c>webhook_url</c>, and from which those of registered webhooks are derived:
/// <c>Webhook:Secret</c>, or one that is made at the first start and kept in the database.
/// </summary>
internal sealed class InstanceSecret(HalftoneDatabase database, IOptions<WebhookOptions> options)
{
    private string? value;

    public async Task<string> GetAsync(CancellationToken cancellationToken) => value ??= options.Value.Secret is { Length: > 0 } configured
        ? configured
        : await database.WriteAsync(
            async transaction =>
            {
                var connection = transaction.Connection!;
                await connection.ExecuteAsync(Sql.InsertIfMissing, new { Value = WebhookSignature.NewSecret() }, transaction);
                return await connection.ExecuteScalarAsync<string>(Sql.Select, transaction: transaction) ?? throw new InvalidOperationException("The secret was not stored.");
            },
            cancellationToken);

    private static class Sql
    {
        public const string InsertIfMissing = "INSERT INTO setting (name, value) VALUES ('webhook_secret', @Value) ON CONFLICT (name) DO NOTHING";

        public const string Select = "SELECT value FROM setting WHERE name = 'webhook_secret'";
    }
}
