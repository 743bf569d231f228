using System.Data.Common;
using System.Diagnostics;
using System.Text;
using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

/// <summary>
/// One attempt of one delivery, from message to recorded outcome. The row of the delivery is the guard: the attempt
/// counts once.
/// </summary>
internal sealed partial class DeliveryRun(
    HalftoneDatabase database,
    WebhookSender sender,
    EndpointTurns turns,
    InstanceSecret secret,
    IOptions<WebhookOptions> options,
    TimeProvider time,
    ILogger<DeliveryRun> logger)
{
    /// <summary>Delay before a delivery is handed out again because too many others were waiting for its host.</summary>
    private static readonly TimeSpan CrowdPause = TimeSpan.FromSeconds(10);

    public async Task HandleAsync(Message.Deliver message, IWorkSlot slot, CancellationToken cancellationToken)
    {
        if (await FindAsync(message, cancellationToken) is not { } waiting)
        {
            return;
        }

        using var turn = await turns.EnterAsync(new Uri(waiting.Endpoint).Authority, slot, cancellationToken);
        if (turn is null)
        {
            await database.WriteAsync(
                transaction =>
                    transaction.ExecuteAsync(
                        Sql.PutOff,
                        new
                        {
                            message.DeliveryId,
                            waiting.Attempt,
                            LeasedUntil = waiting.NextAttemptAt,
                            NextAttemptAt = (time.GetUtcNow() + CrowdPause).ToUnixTimeMilliseconds(),
                        }),
                cancellationToken);
        }
        else if (await FindAsync(message, cancellationToken) is { } delivery)
        {
            // Read again, because the lease may have expired while this one waited, and a second message may have been faster.
            await AttemptAsync(message, delivery, cancellationToken);
        }
    }

    /// <summary>The delivery, if it still waits for the attempt of the message.</summary>
    private async Task<DeliveryRow?> FindAsync(Message.Deliver message, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<DeliveryRow>(Sql.Pending, new { message.DeliveryId }),
            cancellationToken);
        return found is null || (message.Attempt is { } attempt && attempt != found.Attempt) ? null : found;
    }

    private async Task AttemptAsync(Message.Deliver message, DeliveryRow delivery, CancellationToken cancellationToken)
    {
        var instanceSecret = await secret.GetAsync(cancellationToken);
        var signingSecret = delivery.WebhookId.Length == 0
            ? instanceSecret
            : WebhookSignature.DeriveSecret(instanceSecret, delivery.WebhookId);
        var endpoint = new Uri(delivery.Endpoint);
        using var span = Traces.GoOn("webhook", delivery.TraceParent, ActivityKind.Client);
        span?.SetTag("halftone.request_id", message.RequestId);
        span?.SetTag("halftone.delivery_id", message.DeliveryId);
        span?.SetTag("server.address", endpoint.Host);
        var clock = Stopwatch.StartNew();
        var outcome = await sender.SendAsync(
            endpoint,
            Deliveries.MessageId(message.DeliveryId),
            Encoding.UTF8.GetBytes(delivery.Body),
            signingSecret,
            cancellationToken);
        clock.Stop();
        var attempt = AttemptOf(message.DeliveryId, delivery, outcome, clock.Elapsed);
        if (await OutageBackoff.WaitOutAsync(
            () => database.WriteAsync(transaction => RecordAsync(transaction, attempt), cancellationToken),
            time,
            logger,
            cancellationToken))
        {
            Count(attempt);
        }
    }

    private Attempt AttemptOf(long deliveryId, DeliveryRow delivery, DeliveryOutcome outcome, TimeSpan took)
    {
        var now = time.GetUtcNow();
        var failed = outcome as DeliveryOutcome.Failed;
        // A failed test has already shown what it was for, so it is not retried.
        var pause = failed is null || delivery.RequestId == Guid.Empty
            ? null
            : RetrySchedule.NextDelay(
                  options.Value.RetryDelays,
                  delivery.Attempt - delivery.ScheduleFrom + 1,
                  failed.RetryAfter,
                  Random.Shared.NextDouble());
        return new Attempt
        {
            DeliveryId = deliveryId,
            Number = delivery.Attempt + 1,
            LeasedUntil = delivery.NextAttemptAt,
            Becomes = outcome is DeliveryOutcome.Delivered
                ? DeliveryState.Delivered
                : pause is null
                ? DeliveryState.Failed
                : DeliveryState.Pending,
            NextAttemptAt = pause is null ? null : (now + pause.Value).ToUnixTimeMilliseconds(),
            HttpStatus = outcome switch
            {
                DeliveryOutcome.Delivered d => d.HttpStatus,
                DeliveryOutcome.Gone => 410,
                _ => failed?.HttpStatus,
            },
            Error = outcome is DeliveryOutcome.Gone ? "gone" : failed?.Error.Code,
            Milliseconds = (long)took.TotalMilliseconds,
            WebhookId = delivery.WebhookId,
            Now = now.ToUnixTimeMilliseconds(),
        };
    }

    /// <returns>True if the attempt was still the one that was due.</returns>
    private static async Task<bool> RecordAsync(DbTransaction transaction, Attempt attempt)
    {
        if (await transaction.ExecuteAsync(Sql.Record, attempt) == 0)
        {
            return false;
        }

        await transaction.ExecuteAsync(Sql.InsertAttempt, attempt);
        if (attempt.IsGone)
        {
            await transaction.ExecuteAsync(Sql.DisableWebhook, attempt);
        }

        return true;
    }

    private void Count(Attempt attempt)
    {
        var outcome = attempt.IsGone ? "gone" : attempt.Becomes == DeliveryState.Pending ? "postponed" : attempt.State;
        Instruments.WebhookAttempt(outcome, attempt.Error, TimeSpan.FromMilliseconds(attempt.Milliseconds));
        if (attempt.Error is { } error)
        {
            Traces.Fail(error);
        }

        if (attempt.HttpStatus is { } status)
        {
            Traces.Note("http.response.status_code", status);
            Log.Answered(logger, attempt.DeliveryId, attempt.Number, attempt.State, status);
        }
        else
        {
            Log.NotAnswered(logger, attempt.DeliveryId, attempt.Number, attempt.State, attempt.Error!);
        }
    }

    /// <summary>The outcome of one attempt.</summary>
    private sealed record Attempt
    {
        public required long DeliveryId { get; init; }

        /// <summary>Counted from 1.</summary>
        public required int Number { get; init; }
        public required long LeasedUntil { get; init; }

        /// <summary>The delivery's new state; pending until its next attempt.</summary>
        public required DeliveryState Becomes { get; init; }

        /// <summary>Its word in the database.</summary>
        public string State => Becomes.ToString().ToLowerInvariant();

        public long? NextAttemptAt { get; init; }
        public int? HttpStatus { get; init; }
        public string? Error { get; init; }
        public required long Milliseconds { get; init; }
        public required string WebhookId { get; init; }
        public required long Now { get; init; }

        /// <summary>True after 410: the endpoint wants no more events.</summary>
        public bool IsGone => Error == "gone";
    }

    private sealed record DeliveryRow
    {
        /// <summary>All zeros for a test event.</summary>
        public required Guid RequestId { get; init; }
        public required string WebhookId { get; init; }
        public required string Endpoint { get; init; }
        public required string Body { get; init; }
        public required int Attempt { get; init; }
        public required int ScheduleFrom { get; init; }
        public required long NextAttemptAt { get; init; }
        public string? TraceParent { get; init; }
    }

    private static class Sql
    {
        public const string Pending = """
            SELECT request_id, webhook_id, endpoint, body, attempt, schedule_from, next_attempt_at,
                   (SELECT r.trace_parent FROM request r WHERE r.request_id = delivery.request_id) AS trace_parent
            FROM   delivery
            WHERE  delivery_id = @DeliveryId AND state = 'pending'
            """;

        /// <summary>
        /// Applies only to the attempt that was made, while its lease is valid: a duplicate counts once, and a replay
        /// requested in the meantime is not lost.
        /// </summary>
        public const string Record = """
            UPDATE delivery
            SET    state = @State, attempt = @Number, next_attempt_at = @NextAttemptAt, updated_at = @Now
            WHERE  delivery_id = @DeliveryId AND state = 'pending' AND attempt = @Number - 1 AND next_attempt_at = @LeasedUntil
            """;

        /// <summary>No attempt was made, so none is counted.</summary>
        public const string PutOff = """
            UPDATE delivery
            SET    next_attempt_at = @NextAttemptAt
            WHERE  delivery_id = @DeliveryId AND state = 'pending' AND attempt = @Attempt AND next_attempt_at = @LeasedUntil
            """;

        public const string InsertAttempt = """
            INSERT INTO delivery_attempt (delivery_id, attempt, attempted_at, http_status, error, milliseconds)
            VALUES (@DeliveryId, @Number, @Now, @HttpStatus, @Error, @Milliseconds)
            """;

        public const string DisableWebhook = "UPDATE webhook SET disabled_at = @Now WHERE webhook_id = @WebhookId AND disabled_at IS NULL";
    }

    private static partial class Log
    {
        [LoggerMessage(841, LogLevel.Information, "Delivery {DeliveryId}, attempt {Attempt}: {State} (HTTP {HttpStatus})")]
        public static partial void Answered(ILogger logger, long deliveryId, int attempt, string state, int httpStatus);

        [LoggerMessage(842, LogLevel.Information, "Delivery {DeliveryId}, attempt {Attempt}: {State} ({Error})")]
        public static partial void NotAnswered(ILogger logger, long deliveryId, int attempt, string state, string error);
    }
}
