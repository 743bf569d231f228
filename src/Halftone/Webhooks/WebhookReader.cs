using System.ComponentModel.DataAnnotations;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using Halftone.Database;

namespace Halftone.Webhooks;

/// <summary>The answer to a registration.</summary>
internal sealed record WebhookRegistered
{
    /// <summary>A confirmation for people.</summary>
    /// <example>Webhook registered successfully.</example>
#pragma warning disable CA1822 // A member of the answer.
    public string Message => "Webhook registered successfully.";
#pragma warning restore CA1822

    /// <summary>ID of the webhook in other calls.</summary>
    /// <example>0192f0c2-11d4-7c0e-9a53-fedcba987654</example>
    public required string WebhookId { get; init; }

    /// <summary>Secret that signs every delivery to this webhook; shown only once.</summary>
    /// <example>whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw</example>
    public required string Secret { get; init; }
}

/// <summary>The registered webhooks.</summary>
/// <param name="Webhooks">Newest first.</param>
internal sealed record WebhookList(IReadOnlyList<WebhookSummary> Webhooks);

/// <summary>A registered webhook.</summary>
internal sealed record WebhookSummary
{
    /// <summary>ID of the webhook in other calls.</summary>
    /// <example>0192f0c2-11d4-7c0e-9a53-fedcba987654</example>
    public required string WebhookId { get; init; }

    /// <summary>The only request it receives events of; absent: every request.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public Guid? RequestId { get; init; }

    /// <summary>URL that receives the events.</summary>
    /// <example>https://shop.example/hooks/halftone</example>
    public required string CallbackUrl { get; init; }

    /// <summary>Time of registration, UTC.</summary>
    /// <example>2026-11-21T08:00:00+00:00</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Time at which the endpoint answered 410, UTC, after which nothing more is sent; absent if it did not.</summary>
    /// <example apart="true">2026-11-22T09:00:00+00:00</example>
    public DateTimeOffset? DisabledAt { get; init; }
}

/// <summary>Deliveries of events.</summary>
/// <param name="Deliveries">Newest first, at most 100.</param>
internal sealed record DeliveryList(IReadOnlyList<DeliverySummary> Deliveries);

/// <summary>The delivery of an event to one endpoint.</summary>
internal sealed record DeliverySummary
{
    /// <summary>The <c>webhook-id</c> header, the same for every attempt.</summary>
    /// <example>msg_17</example>
    public required string MessageId { get; init; }

    /// <summary>The request of the event; absent: a test event.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public Guid? RequestId { get; init; }

    /// <summary>The receiving webhook; absent: the `webhook_url` of the upload.</summary>
    /// <example>0192f0c2-11d4-7c0e-9a53-fedcba987654</example>
    public string? WebhookId { get; init; }

    /// <summary>URL of the endpoint.</summary>
    /// <example>https://shop.example/hooks/halftone</example>
    public required string Endpoint { get; init; }

    /// <summary>PENDING, DELIVERED or FAILED.</summary>
    /// <example>DELIVERED</example>
    [AllowedValues("PENDING", "DELIVERED", "FAILED")]
    public required string Status { get; init; }

    /// <summary>Time of the next attempt, UTC; absent if there is none.</summary>
    /// <example apart="true">2026-11-21T08:35:05+00:00</example>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>All attempts so far, oldest first.</summary>
    public required IReadOnlyList<DeliveryAttempt> Attempts { get; init; }
}

/// <summary>One attempt of a delivery.</summary>
internal sealed record DeliveryAttempt
{
    /// <summary>Number of the attempt, from 1.</summary>
    /// <example>1</example>
    public required int Attempt { get; init; }

    /// <summary>Time of the attempt, UTC.</summary>
    /// <example>2026-11-21T08:30:00+00:00</example>
    public required DateTimeOffset AttemptedAt { get; init; }

    /// <summary>Status that the endpoint answered with; absent if it did not answer.</summary>
    /// <example>200</example>
    public int? HttpStatus { get; init; }

    /// <summary>Code of the error, as for images, or `gone` if the endpoint wants no more events; absent if it was delivered.</summary>
    /// <example apart="true">connect_refused</example>
    public string? Error { get; init; }

    /// <summary>Duration in milliseconds.</summary>
    /// <example>48</example>
    public required long Milliseconds { get; init; }
}

/// <summary>Reads webhooks and deliveries of their owner.</summary>
internal sealed class WebhookReader(HalftoneDatabase database)
{
    private const int DeliveriesListed = 100;

    public async Task<WebhookList> ListAsync(string owner, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(
            connection => connection.QueryAsync<WebhookRow>(Sql.Webhooks, new { Owner = owner }),
            cancellationToken);
        return new WebhookList([.. rows.Select(row => new WebhookSummary
        {
            WebhookId = row.WebhookId,
            RequestId = row.RequestId,
            CallbackUrl = row.CallbackUrl,
            CreatedAt = Time(row.CreatedAt),
            DisabledAt = row.DisabledAt is { } disabled ? Time(disabled) : null,
        })]);
    }

    /// <summary>The newest 100 deliveries to a webhook; null if the owner has no such webhook.</summary>
    public Task<DeliveryList?> OfWebhookAsync(string owner, string webhookId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection =>
                await connection.ExecuteScalarAsync<long>(Sql.WebhookExists, new { Owner = owner, WebhookId = webhookId }) == 0
                ? null
                : await DeliveriesAsync(connection, Sql.OfWebhook, new { WebhookId = webhookId, Limit = DeliveriesListed }),
            cancellationToken);

    /// <summary>The deliveries of a request to all its endpoints; null if the owner has no such request.</summary>
    public Task<DeliveryList?> OfRequestAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection =>
                await connection.ExecuteScalarAsync<long>(Sql.RequestExists, new { Owner = owner, RequestId = requestId }) == 0
                ? null
                : await DeliveriesAsync(connection, Sql.OfRequest, new { RequestId = requestId, Limit = DeliveriesListed }),
            cancellationToken);

    private async Task<DeliveryList> DeliveriesAsync(DbConnection connection, string sql, object parameters)
    {
        var deliveries = (await connection.QueryAsync<DeliveryRow>(sql, parameters)).AsList();
        var attempts = (
            await connection.QueryAsync<AttemptRow>(
                database.Choose(Sql.AttemptsSqlite, Sql.AttemptsPostgres),
                new { Ids = JsonSerializer.Serialize(deliveries.Select(d => d.DeliveryId)) })).ToLookup(row => row.DeliveryId);
        return new DeliveryList([.. deliveries.Select(row => new DeliverySummary
        {
            MessageId = Webhooks.Deliveries.MessageId(row.DeliveryId),
            RequestId = row.RequestId == Guid.Empty ? null : row.RequestId,
            WebhookId = row.WebhookId.Length == 0 ? null : row.WebhookId,
            Endpoint = row.Endpoint,
            Status = row.State.ToString().ToUpperInvariant(),
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
        public Guid? RequestId { get; init; }
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
        public required DeliveryState State { get; init; }
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
            SELECT webhook_id, request_id, callback_url, created_at, disabled_at
            FROM   webhook
            WHERE  owner = @Owner
            ORDER  BY webhook_id DESC
            """;

        public const string WebhookExists = "SELECT count(*) FROM webhook WHERE webhook_id = @WebhookId AND owner = @Owner";

        public const string RequestExists =
            "SELECT count(*) FROM request WHERE request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')";

        public const string OfWebhook = """
            SELECT delivery_id, request_id, webhook_id, endpoint, state, next_attempt_at
            FROM   delivery
            WHERE  webhook_id = @WebhookId
            ORDER  BY delivery_id DESC
            LIMIT  @Limit
            """;

        public const string OfRequest = """
            SELECT delivery_id, request_id, webhook_id, endpoint, state, next_attempt_at
            FROM   delivery
            WHERE  request_id = @RequestId
            ORDER  BY delivery_id DESC
            LIMIT  @Limit
            """;

        public const string AttemptsSqlite = """
            SELECT delivery_id, attempt, attempted_at, http_status, error, milliseconds
            FROM   delivery_attempt
            WHERE  delivery_id IN (SELECT value FROM json_each(@Ids))
            ORDER  BY delivery_id, attempt
            """;

        public const string AttemptsPostgres = """
            SELECT delivery_id, attempt, attempted_at, http_status, error, milliseconds
            FROM   delivery_attempt
            WHERE  delivery_id IN (SELECT value::bigint FROM json_array_elements_text(@Ids::json))
            ORDER  BY delivery_id, attempt
            """;
    }
}
