using System.Data.Common;
using System.Text.Json;
using Dapper;
using Halftone.Database;

namespace Halftone.Webhooks;

/// <summary>The answer to a registration.</summary>
internal sealed record WebhookRegistered
{
#pragma warning disable CA1822 // A member of the answer.
    public string Message => "Webhook registered successfully.";
#pragma warning restore CA1822

    public required string WebhookId { get; init; }

    /// <summary>Signs every delivery to this webhook; shown this once.</summary>
    public required string Secret { get; init; }
}

internal sealed record WebhookList(IReadOnlyList<WebhookSummary> Webhooks);

internal sealed record WebhookSummary
{
    public required string WebhookId { get; init; }

    /// <summary>Absent: for every request.</summary>
    public Guid? RequestId { get; init; }

    public required string CallbackUrl { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the endpoint answered 410, after which nothing more is sent to it.</summary>
    public DateTimeOffset? DisabledAt { get; init; }
}

internal sealed record DeliveryList(IReadOnlyList<DeliverySummary> Deliveries);

internal sealed record DeliverySummary
{
    /// <summary>The <c>webhook-id</c> header: the same at every attempt.</summary>
    public required string MessageId { get; init; }

    public required Guid RequestId { get; init; }

    /// <summary>Absent: the webhook_url of the upload.</summary>
    public string? WebhookId { get; init; }

    public required string Endpoint { get; init; }

    /// <summary>PENDING, DELIVERED or FAILED.</summary>
    public required string Status { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    public required IReadOnlyList<DeliveryAttempt> Attempts { get; init; }
}

internal sealed record DeliveryAttempt
{
    /// <summary>From 1.</summary>
    public required int Attempt { get; init; }

    public required DateTimeOffset AttemptedAt { get; init; }

    public int? HttpStatus { get; init; }

    /// <summary>A word of the fetch errors; absent where it was delivered.</summary>
    public string? Error { get; init; }

    public required long Milliseconds { get; init; }
}

/// <summary>Reads webhooks and their deliveries as their owner sees them.</summary>
internal sealed class WebhookReader(HalftoneDatabase database)
{
    private const int DeliveriesListed = 100;

    public async Task<WebhookList> ListAsync(string owner, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(connection => connection.QueryAsync<WebhookRow>(Sql.Webhooks, new { Owner = owner }), cancellationToken);
        return new WebhookList([.. rows.Select(row => new WebhookSummary
        {
            WebhookId = row.WebhookId,
            RequestId = row.RequestId is null ? null : Guid.Parse(row.RequestId),
            CallbackUrl = row.CallbackUrl,
            CreatedAt = Time(row.CreatedAt),
            DisabledAt = row.DisabledAt is { } disabled ? Time(disabled) : null,
        })]);
    }

    /// <summary>The newest 100 deliveries to a webhook; null where the owner has no such webhook.</summary>
    public Task<DeliveryList?> OfWebhookAsync(string owner, string webhookId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection => await connection.ExecuteScalarAsync<long>(Sql.WebhookExists, new { Owner = owner, WebhookId = webhookId }) == 0
                ? null
                : await DeliveriesAsync(connection, Sql.OfWebhook, new { WebhookId = webhookId, Limit = DeliveriesListed }),
            cancellationToken);

    /// <summary>The deliveries of a request to all its endpoints; null where the owner has no such request.</summary>
    public Task<DeliveryList?> OfRequestAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection => await connection.ExecuteScalarAsync<long>(Sql.RequestExists, new { Owner = owner, RequestId = requestId }) == 0
                ? null
                : await DeliveriesAsync(connection, Sql.OfRequest, new { RequestId = requestId, Limit = DeliveriesListed }),
            cancellationToken);

    private static async Task<DeliveryList> DeliveriesAsync(DbConnection connection, string sql, object parameters)
    {
        var deliveries = (await connection.QueryAsync<DeliveryRow>(sql, parameters)).AsList();
        var attempts = (await connection.QueryAsync<AttemptRow>(Sql.Attempts, new { Ids = JsonSerializer.Serialize(deliveries.Select(d => d.DeliveryId)) })).ToLookup(row => row.DeliveryId);
        return new DeliveryList([.. deliveries.Select(row => new DeliverySummary
        {
            MessageId = Webhooks.Deliveries.MessageId(row.DeliveryId),
            RequestId = row.RequestId,
            WebhookId = row.WebhookId.Length == 0 ? null : row.WebhookId,
            Endpoint = row.Endpoint,
            Status = row.State.ToUpperInvariant(),
            NextAttemptAt = row.NextAttemptAt is { } next ? Time(next) : null,
            Attempts = [.. attempts[row.DeliveryId].Select(attempt => new DeliveryAttempt
            {
                Attempt = attempt.Attempt,
                AttemptedAt = Time(attempt.AttemptedAt),
                HttpStatus = attempt.HttpStatus,
                Error = attempt.Error,
                Milliseconds = attempt.Milliseconds,
            })],
        })]);
    }

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed record WebhookRow
    {
        public required string WebhookId { get; init; }
        public string? RequestId { get; init; }
        public required string CallbackUrl { get; init; }
        public required long CreatedAt { get; init; }
        public long? DisabledAt { get; init; }
    }

    private sealed record DeliveryRow
    {
        public required long DeliveryId { get; init; }
        public required Guid RequestId { get; init; }
        public required string WebhookId { get; init; }
        public required string Endpoint { get; init; }
        public required string State { get; init; }
        public long? NextAttemptAt { get; init; }
    }

    private sealed record AttemptRow
    {
        public required long DeliveryId { get; init; }
        public required int Attempt { get; init; }
        public required long AttemptedAt { get; init; }
        public int? HttpStatus { get; init; }
        public string? Error { get; init; }
        public required long Milliseconds { get; init; }
    }

    private static class Sql
    {
        public const string Webhooks = """
            SELECT webhook_id AS WebhookId, request_id AS RequestId, callback_url AS CallbackUrl, created_at AS CreatedAt, disabled_at AS DisabledAt
            FROM   webhook
            WHERE  owner = @Owner
            ORDER  BY webhook_id DESC
            """;

        public const string WebhookExists = "SELECT count(*) FROM webhook WHERE webhook_id = @WebhookId AND owner = @Owner";

        public const string RequestExists = "SELECT count(*) FROM request WHERE request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')";

        public const string OfWebhook = """
            SELECT delivery_id AS DeliveryId, request_id AS RequestId, webhook_id AS WebhookId, endpoint AS Endpoint, state AS State, next_attempt_at AS NextAttemptAt
            FROM   delivery
            WHERE  webhook_id = @WebhookId
            ORDER  BY delivery_id DESC
            LIMIT  @Limit
            """;

        public const string OfRequest = """
            SELECT delivery_id AS DeliveryId, request_id AS RequestId, webhook_id AS WebhookId, endpoint AS Endpoint, state AS State, next_attempt_at AS NextAttemptAt
            FROM   delivery
            WHERE  request_id = @RequestId
            ORDER  BY delivery_id DESC
            LIMIT  @Limit
            """;

        public const string Attempts = """
            SELECT delivery_id AS DeliveryId, attempt AS Attempt, attempted_at AS AttemptedAt, http_status AS HttpStatus, error AS Error, milliseconds AS Milliseconds
            FROM   delivery_attempt
            WHERE  delivery_id IN (SELECT value FROM json_each(@Ids))
            ORDER  BY delivery_id, attempt
            """;
    }
}
