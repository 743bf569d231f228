using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Webhooks;

/// <summary>A request that has ended, with the data of its event.</summary>
internal sealed record EndedRequest
{
    public required Guid RequestId { get; init; }
    public required int Run { get; init; }

    /// <summary>Completed, failed or cancelled.</summary>
    public required RequestState State { get; init; }
    public required string Owner { get; init; }

    /// <summary>The webhook_url of the upload.</summary>
    public string? WebhookUrl { get; init; }
    public required long Images { get; init; }
    public required long Completed { get; init; }
    public required long Failed { get; init; }
    public required long BytesIn { get; init; }
    public required long BytesOut { get; init; }

    /// <summary>UTC milliseconds.</summary>
    public required long FinishedAt { get; init; }
}

/// <summary>The rows that deliver an event to its endpoints: one per request, run and endpoint, due at once.</summary>
internal static class Deliveries
{
    /// <summary>The <c>webhook-id</c>: the same for every attempt of a delivery, and unique to it.</summary>
    public static string MessageId(long deliveryId) => string.Create(CultureInfo.InvariantCulture, $"msg_{deliveryId}");

    /// <summary>Delivers to the upload's own <c>webhook_url</c> and to every webhook registered for the request or its owner.</summary>
    public static Task<int> InsertAsync(DbTransaction transaction, EndedRequest request, PublicUrls urls, long now) =>
        ExecuteAsync(transaction, Sql.Insert, request, null, urls, now);

    /// <summary>Delivers to one webhook that was registered after the request had ended.</summary>
    public static Task<int> InsertAsync(DbTransaction transaction, EndedRequest request, string webhookId, PublicUrls urls, long now) =>
        ExecuteAsync(transaction, Sql.Insert, request, webhookId, urls, now);

    /// <summary>Delivers again: new endpoints get the event, the others get theirs again with the same ID and body.</summary>
    /// <returns>Number of endpoints.</returns>
    public static Task<int> ReplayAsync(DbTransaction transaction, EndedRequest request, PublicUrls urls, long now) =>
        ExecuteAsync(transaction, Sql.InsertOrAgain, request, null, urls, now);

    private static Task<int> ExecuteAsync(
        DbTransaction transaction,
        string sql,
        EndedRequest request,
        string? onlyWebhookId,
        PublicUrls urls,
        long now) =>
        transaction.ExecuteAsync(
            sql,
            new
            {
                request.RequestId,
                request.Run,
                request.Owner,
                request.WebhookUrl,
                OnlyWebhookId = onlyWebhookId,
                Body = Encoding.UTF8.GetString(EventOf(request, urls).ToBody()),
                Now = now,
            });

    private static WebhookEvent EventOf(EndedRequest request, PublicUrls urls) => new()
    {
        RequestId = request.RequestId,
        Status = request.State.ToWire(),
        ResultUrl = urls.Result(request.RequestId),
        Progress = WebhookProgress.Of(request.Images, request.Completed, request.Failed),
        Bytes = WebhookBytes.Of(request.BytesIn, request.BytesOut),
        Timestamp = DateTimeOffset.FromUnixTimeMilliseconds(request.FinishedAt).UtcDateTime,
    };

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO delivery (request_id, run, webhook_id, endpoint, body, next_attempt_at, created_at, updated_at)
            SELECT @RequestId, @Run, webhook_id, endpoint, @Body, @Now, @Now, @Now
            FROM  (SELECT '' AS webhook_id, @WebhookUrl AS endpoint WHERE @WebhookUrl IS NOT NULL
                   UNION ALL
                   SELECT webhook_id, callback_url FROM webhook
                   WHERE  owner = @Owner AND disabled_at IS NULL AND (request_id IS NULL OR request_id = @RequestId)) AS endpoints
            WHERE @OnlyWebhookId IS NULL OR webhook_id = @OnlyWebhookId
            """;

        /// <summary>The schedule starts again; earlier attempts stay counted and logged.</summary>
        public const string InsertOrAgain = Insert + """

            ON CONFLICT (request_id, run, webhook_id) DO UPDATE
            SET    state = 'pending', schedule_from = delivery.attempt, next_attempt_at = @Now, updated_at = @Now
            """;
    }
}
