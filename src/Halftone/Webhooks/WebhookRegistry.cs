using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Webhooks;

internal enum ReplayResult
{
    Sent,
    UnknownRequest,
    StillRunning,
    /// <summary>The given status or result_url does not match the request.</summary>
    Disagrees,
    NoEndpoint,
}

internal enum PingResult
{
    Sent,
    UnknownWebhook,
    /// <summary>The endpoint answered 410.</summary>
    Disabled,
}

/// <summary>Registers and removes webhooks, and sends the event of a finished request again, or a test event.</summary>
internal sealed class WebhookRegistry(HalftoneDatabase database, InstanceSecret secret, DueSignal due, PublicUrls urls, TimeProvider time)
{
    /// <summary>Maximum test events in the log of a webhook, so that nobody can fill the database with them.</summary>
    private const int PingsKept = 20;

    /// <summary>Registers an endpoint. If its request has already ended, it gets the event at once.</summary>
    /// <param name="owner">The owner of the webhook.</param>
    /// <param name="callbackUrl">Already checked.</param>
    /// <param name="requestId">Null for every request of the owner from now on.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Null if the owner has no such request.</returns>
    public async Task<WebhookRegistered?> RegisterAsync(string owner, Uri callbackUrl, Guid? requestId, CancellationToken cancellationToken)
    {
        var instanceSecret = await secret.GetAsync(cancellationToken);
        var webhookId = Guid.CreateVersion7(time.GetUtcNow()).ToString("D", CultureInfo.InvariantCulture);
        var isRegistered = await database.WriteAsync(
            async transaction =>
            {
                var request = requestId is null ? null : await FindAsync(transaction, owner, requestId.Value);
                if (requestId is not null && request is null)
                {
                    return false;
                }

                await transaction
                    .ExecuteAsync(
                        Sql.Insert,
                        new
                        {
                            WebhookId = webhookId,
                            Owner = owner,
                            RequestId = requestId,
                            CallbackUrl = callbackUrl.AbsoluteUri,
                            Now = Now(),
                        });
                if (request?.Ended is { } ended)
                {
                    await Deliveries.InsertAsync(transaction, ended, webhookId, urls, Now());
                }

                return true;
            },
            cancellationToken);
        due.Set();
        return isRegistered
            ? new WebhookRegistered { WebhookId = webhookId, Secret = WebhookSignature.DeriveSecret(instanceSecret, webhookId) }
            : null;
    }

    /// <summary>Removes a webhook and its pending deliveries.</summary>
    /// <returns>False if the owner has no such webhook.</returns>
    public Task<bool> RemoveAsync(string owner, string webhookId, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async transaction =>
            {
                var removed = await transaction.ExecuteAsync(Sql.Remove, new { WebhookId = webhookId, Owner = owner });
                if (removed > 0)
                {
                    await transaction.ExecuteAsync(Sql.RemovePings, new { WebhookId = webhookId, Before = int.MaxValue });
                    await transaction.ExecuteAsync(Sql.GiveUpDeliveries, new { WebhookId = webhookId, Now = Now() });
                }

                return removed > 0;
            },
            cancellationToken);

    /// <summary>Sends the event of a finished request to all its endpoints again.</summary>
    /// <param name="owner">The owner of the request.</param>
    /// <param name="requestId">ID of the request.</param>
    /// <param name="status">The status that the caller expects, or null.</param>
    /// <param name="resultUrl">The result_url that the caller expects, or null.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<ReplayResult> ReplayAsync(
        string owner,
        Guid requestId,
        string? status,
        string? resultUrl,
        CancellationToken cancellationToken)
    {
        var result = await database.WriteAsync(
            async transaction => await FindAsync(transaction, owner, requestId) switch
            {
                null => ReplayResult.UnknownRequest,
                { Ended: null } => ReplayResult.StillRunning,
                { Ended: { } ended } when Disagrees(ended, status, resultUrl) => ReplayResult.Disagrees,
                { Ended: { } ended } =>
                    await Deliveries.ReplayAsync(transaction, ended, urls, Now()) > 0 ? ReplayResult.Sent : ReplayResult.NoEndpoint,
            },
            cancellationToken);
        due.Set();
        return result;
    }

    /// <summary>Sends a test event, once.</summary>
    public async Task<PingResult> PingAsync(string owner, string webhookId, CancellationToken cancellationToken)
    {
        var result = await database.WriteAsync(
            async transaction =>
            {
                if (await transaction.QuerySingleOrDefaultAsync<Endpoint>(
                    Sql.Lock,
                    new { WebhookId = webhookId, Owner = owner }) is not { } endpoint)
                {
                    return PingResult.UnknownWebhook;
                }

                if (endpoint.DisabledAt is not null)
                {
                    return PingResult.Disabled;
                }

                var body = new WebhookPing { WebhookId = webhookId, Timestamp = time.GetUtcNow().UtcDateTime };
                var run = await transaction.ExecuteScalarAsync<int>(Sql.NextPing, new { WebhookId = webhookId });
                await transaction.ExecuteAsync(
                    Sql.InsertPing,
                    new
                    {
                        Run = run,
                        WebhookId = webhookId,
                        Endpoint = endpoint.CallbackUrl,
                        Body = Encoding.UTF8.GetString(body.ToBody()),
                        Now = Now(),
                    });
                await transaction.ExecuteAsync(Sql.RemovePings, new { WebhookId = webhookId, Before = run - PingsKept });
                return PingResult.Sent;
            },
            cancellationToken);
        due.Set();
        return result;
    }

    private bool Disagrees(EndedRequest ended, string? status, string? resultUrl) =>
        (status is not null && !status.Equals(ended.State.ToWire(), StringComparison.OrdinalIgnoreCase))
            || (resultUrl is not null && resultUrl != urls.Result(ended.RequestId));

    private static async Task<FoundRequest?> FindAsync(DbTransaction transaction, string owner, Guid requestId)
    {
        var parameters = new { RequestId = requestId, Owner = owner };
        if (await transaction.QuerySingleOrDefaultAsync<StateRow>(Sql.State, parameters) is not { } row)
        {
            return null;
        }

        return new(row.State.HasEnded ? await transaction.QuerySingleAsync<EndedRequest>(Sql.Ended, parameters) : null);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <param name="Ended">Null while the request is running.</param>
    private sealed record FoundRequest(EndedRequest? Ended);

    private sealed record Endpoint
    {
        public required string CallbackUrl { get; init; }
        public long? DisabledAt { get; init; }
    }

    private static class Sql
    {
        /// <summary>
        /// Changes nothing but takes the row's lock, so that a request cannot end between this check and the
        /// registration of its webhook.
        /// </summary>
        public const string State = """
            UPDATE request
            SET    run = run
            WHERE  request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')
            RETURNING state
            """;

        public const string Ended = """
            SELECT request_id, run, state, owner, webhook_url, images,
                   completed, failed, bytes_in, bytes_out, finished_at
            FROM   request
            WHERE  request_id = @RequestId AND owner = @Owner
            """;

        public const string Insert = """
            INSERT INTO webhook (webhook_id, owner, request_id, callback_url, created_at)
            VALUES (@WebhookId, @Owner, @RequestId, @CallbackUrl, @Now)
            """;

        public const string Remove = "DELETE FROM webhook WHERE webhook_id = @WebhookId AND owner = @Owner";

        public const string GiveUpDeliveries = """
            UPDATE delivery
            SET    state = 'failed', next_attempt_at = NULL, updated_at = @Now
            WHERE  webhook_id = @WebhookId AND state = 'pending'
            """;

        /// <summary>Changes nothing but takes the row's lock, so that test events are counted one after the other.</summary>
        public const string Lock = """
            UPDATE webhook SET created_at = created_at WHERE webhook_id = @WebhookId AND owner = @Owner RETURNING callback_url, disabled_at
            """;

        // A test is a delivery without a request: its request_id is all zeros, its run counts the tests of the webhook.
        public const string NextPing = """
            SELECT coalesce(max(run), 0) + 1
            FROM   delivery
            WHERE  webhook_id = @WebhookId AND request_id = '00000000-0000-0000-0000-000000000000'
            """;

        public const string InsertPing = """
            INSERT INTO delivery (request_id, run, webhook_id, endpoint, body, next_attempt_at, created_at, updated_at)
            VALUES ('00000000-0000-0000-0000-000000000000', @Run, @WebhookId, @Endpoint, @Body, @Now, @Now, @Now)
            """;

        public const string RemovePings = """
            DELETE FROM delivery_attempt WHERE delivery_id IN (
                SELECT delivery_id FROM delivery
                WHERE  webhook_id = @WebhookId AND request_id = '00000000-0000-0000-0000-000000000000' AND run <= @Before);
            DELETE FROM delivery WHERE webhook_id = @WebhookId AND request_id = '00000000-0000-0000-0000-000000000000' AND run <= @Before
            """;
    }
}
