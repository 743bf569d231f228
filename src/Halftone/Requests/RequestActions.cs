using System.Data.Common;
using Dapper;
using Halftone.Database;
using Halftone.Model;

namespace Halftone.Requests;

internal enum ActionResult
{
    Done,
    UnknownRequest,
    /// <summary>The request's state does not allow it.</summary>
    WrongState,
    /// <summary>A retry of a request whose images are all completed.</summary>
    NothingToDo,
}

/// <summary>
/// What a user does to a request: cancel, retry, delete. Each is one guarded transaction that raises <c>run</c>, so that every message
/// of the old run changes nothing, and writes its message into the outbox.
/// </summary>
internal sealed class RequestActions(HalftoneDatabase database, OutboxRelay relay, TimeProvider time)
{
    /// <summary>Stops taking images and writes the result of what is done. A second cancel changes nothing.</summary>
    public Task<ActionResult> CancelAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        ActAsync(
            async transaction =>
            {
                var row = await FindAsync(transaction, owner, requestId);
                switch (row?.State)
                {
                    case null:
                        return ActionResult.UnknownRequest;
                    case "cancelling":
                        return ActionResult.Done;
                    case "pending" or "processing":
                        await ChangeAsync(transaction, Sql.Cancel, requestId);
                        await transaction.ExecuteAsync(Sql.ForgetRetries, new { row.FirstImageId, EndImageId = row.FirstImageId + row.Images }, HalftoneDatabase.LongStatementSeconds);
                        await Outbox.AddAsync(transaction, new Message.Finish { RequestId = requestId, Run = row.Run + 1 }, time);
                        return ActionResult.Done;
                    default:
                        return ActionResult.WrongState;
                }
            },
            cancellationToken);

    /// <summary>Does everything again that is not completed; the result there is stays until the next replaces it.</summary>
    public Task<ActionResult> RetryAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        ActAsync(
            async transaction =>
            {
                var row = await FindAsync(transaction, owner, requestId);
                switch (row?.State)
                {
                    case null:
                        return ActionResult.UnknownRequest;
                    case "completed" or "failed" or "cancelled" when row.Completed == row.Images:
                        return ActionResult.NothingToDo;
                    case "completed" or "failed" or "cancelled":
                        await transaction.ExecuteAsync(Sql.PendAgain, new { row.FirstImageId, EndImageId = row.FirstImageId + row.Images, Now = Now() }, HalftoneDatabase.LongStatementSeconds);
                        await ChangeAsync(transaction, Sql.Retry, requestId);
                        await Outbox.AddAsync(transaction, new Message.Plan { RequestId = requestId, Run = row.Run + 1, After = 0 }, time);
                        return ActionResult.Done;
                    default:
                        return ActionResult.WrongState;
                }
            },
            cancellationToken);

    /// <summary>From now on the request is unknown to everybody; its files and rows go in the background.</summary>
    public Task<ActionResult> DeleteAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        ActAsync(
            async transaction =>
            {
                if (await FindAsync(transaction, owner, requestId) is not { } row)
                {
                    return ActionResult.UnknownRequest;
                }

                await ChangeAsync(transaction, Sql.Delete, requestId);
                await Outbox.AddAsync(transaction, new Message.Delete { RequestId = requestId, Run = row.Run + 1 }, time);
                return ActionResult.Done;
            },
            cancellationToken);

    /// <summary>Deletes requests of every owner that ended before then, the oldest first, some hundred at a time.</summary>
    /// <returns>How many; 0 where there are no more.</returns>
    public async Task<int> DeleteEndedAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var parameters = new { Before = before.ToUnixTimeMilliseconds(), Now = Now() };
        // Looked for on a reading connection first: an idle server takes no lock.
        if (!await database.ReadAsync(connection => connection.ExecuteScalarAsync<bool>(Sql.AnyEnded, parameters), cancellationToken))
        {
            return 0;
        }

        var deleted = await database.WriteAsync(
            async transaction =>
            {
                var rows = (await transaction.QueryAsync<EndedRow>(Sql.DeleteEnded, parameters)).AsList();
                foreach (var row in rows)
                {
                    await Outbox.AddAsync(transaction, new Message.Delete { RequestId = row.RequestId, Run = row.Run }, time);
                }

                return rows.Count;
            },
            cancellationToken);
        relay.Wake();
        return deleted;
    }

    private async Task<ActionResult> ActAsync(Func<DbTransaction, Task<ActionResult>> act, CancellationToken cancellationToken)
    {
        var result = await database.WriteAsync(act, cancellationToken);
        relay.Wake();
        return result;
    }

    private static Task<ActionRow?> FindAsync(DbTransaction transaction, string owner, Guid requestId) =>
        transaction.QuerySingleOrDefaultAsync<ActionRow>(Sql.Find, new { RequestId = requestId, Owner = owner });

    private Task<int> ChangeAsync(DbTransaction transaction, string sql, Guid requestId) =>
        transaction.ExecuteAsync(sql, new { RequestId = requestId, Now = Now() });

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed record ActionRow
    {
        public required string State { get; init; }
        public required int Run { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public required long Completed { get; init; }
    }

    private sealed record EndedRow
    {
        public required Guid RequestId { get; init; }
        public required int Run { get; init; }
    }

    private static class Sql
    {
        /// <summary>Changes nothing and so takes the row's lock: what is found stays so until the transaction ends.</summary>
        public const string Find = """
            UPDATE request
            SET    run = run
            WHERE  request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')
            RETURNING state, run, first_image_id, images, completed
            """;

        /// <summary>Images that are not done stay pending rows.</summary>
        public const string Cancel = """
            UPDATE request SET state = 'cancelling', run = run + 1, updated_at = @Now WHERE request_id = @RequestId AND state IN ('pending', 'processing')
            """;

        /// <summary>Or the sweep would find them due for ever. The plus signs keep the primary key out of it: image_due holds far fewer rows.</summary>
        public const string ForgetRetries = """
            UPDATE image SET next_attempt_at = NULL WHERE next_attempt_at IS NOT NULL AND +image_id >= @FirstImageId AND +image_id < @EndImageId
            """;

        /// <summary>Not those that were never tried: a request of millions may have been cancelled at its start.</summary>
        public const string PendAgain = """
            UPDATE image
            SET    state = 'pending', attempt = 0, next_attempt_at = NULL, error_code = NULL, http_status = NULL, updated_at = @Now
            WHERE  image_id >= @FirstImageId AND image_id < @EndImageId AND (state = 'failed' OR (state = 'pending' AND attempt > 0))
            """;

        public const string Retry = """
            UPDATE request
            SET    state = 'pending', run = run + 1, planned_to = 0, failed = 0, finished_at = NULL, updated_at = @Now
            WHERE  request_id = @RequestId AND state IN ('completed', 'failed', 'cancelled');
            DELETE FROM error_count WHERE request_id = @RequestId
            """;

        public const string Delete = """
            UPDATE request SET state = 'deleting', run = run + 1, idempotency_key = NULL, updated_at = @Now WHERE request_id = @RequestId AND state NOT IN ('receiving', 'deleting')
            """;

        /// <summary>Uses the partial index request_ended.</summary>
        public const string AnyEnded = "SELECT EXISTS (SELECT 1 FROM request WHERE finished_at < @Before AND state IN ('completed', 'failed', 'cancelled'))";

        /// <summary>The guard stands outside once more: a request that another sweep took, or its owner runs again, meanwhile is left alone.</summary>
        public const string DeleteEnded = """
            UPDATE request
            SET    state = 'deleting', run = run + 1, idempotency_key = NULL, updated_at = @Now
            WHERE  request_id IN (SELECT request_id FROM request WHERE finished_at < @Before AND state IN ('completed', 'failed', 'cancelled') ORDER BY finished_at LIMIT 100)
            AND    finished_at < @Before AND state IN ('completed', 'failed', 'cancelled')
            RETURNING request_id, run
            """;
    }
}
