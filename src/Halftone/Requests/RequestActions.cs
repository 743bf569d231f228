using System.Data.Common;
using Dapper;
using Halftone.Database;
using Halftone.Model;

namespace Halftone.Requests;

internal enum ActionResult
{
    Done,
    UnknownRequest,
    /// <summary>The state of the request does not allow it.</summary>
    WrongState,
    /// <summary>A retry of a request whose images are all completed.</summary>
    NothingToDo,
}

/// <summary>
/// User actions on a request: cancel, retry, delete. Each is one guarded transaction that increments <c>run</c>, so
/// that messages of the old run have no effect, and writes its message into the outbox.
/// </summary>
internal sealed class RequestActions(HalftoneDatabase database, OutboxRelay relay, TimeProvider time)
{
    /// <summary>Stops taking images and writes the result of those done. A second cancel changes nothing.</summary>
    public Task<ActionResult> CancelAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        ActAsync(
            async transaction =>
            {
                if (await FindAsync(transaction, owner, requestId) is not { } row)
                {
                    return ActionResult.UnknownRequest;
                }

                if (!row.State.IsOpen)
                {
                    return row.State == RequestState.Cancelling ? ActionResult.Done : ActionResult.WrongState;
                }

                await ChangeAsync(transaction, Sql.Cancel, requestId);
                var images = new { row.FirstImageId, EndImageId = row.FirstImageId + row.Images };
                await transaction.ExecuteAsync(Sql.ForgetRetries, images, HalftoneDatabase.LongStatementSeconds);
                await Outbox.AddAsync(transaction, new Message.Finish { RequestId = requestId, Run = row.Run + 1 }, time);
                return ActionResult.Done;
            },
            cancellationToken);

    /// <summary>Processes everything again that is not completed; the current result stays until the next one replaces it.</summary>
    public Task<ActionResult> RetryAsync(string owner, Guid requestId, CancellationToken cancellationToken) =>
        ActAsync(
            async transaction =>
            {
                if (await FindAsync(transaction, owner, requestId) is not { } row)
                {
                    return ActionResult.UnknownRequest;
                }

                if (!row.State.HasEnded)
                {
                    return ActionResult.WrongState;
                }

                if (row.Completed == row.Images)
                {
                    return ActionResult.NothingToDo;
                }

                var images = new { row.FirstImageId, EndImageId = row.FirstImageId + row.Images, Now = Now() };
                await transaction.ExecuteAsync(Sql.PendAgain, images, HalftoneDatabase.LongStatementSeconds);
                await ChangeAsync(transaction, Sql.Retry, requestId);
                await Outbox.AddAsync(transaction, new Message.Plan { RequestId = requestId, Run = row.Run + 1, After = 0 }, time);
                return ActionResult.Done;
            },
            cancellationToken);

    /// <summary>Hides the request from everyone at once; its files and rows are removed in the background.</summary>
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

    /// <summary>Deletes requests of all owners that ended before the given time, oldest first, up to a hundred at a time.</summary>
    /// <returns>Number of requests; 0 if there are no more.</returns>
    public async Task<int> DeleteEndedAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var parameters = new { Before = before.ToUnixTimeMilliseconds(), Now = Now() };
        // Looks on a reading connection first, so that an idle server takes no lock.
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
        public required RequestState State { get; init; }
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
        /// <summary>Changes nothing but takes the row's lock, so that its state stays the same until the transaction ends.</summary>
        public const string Find = """
            UPDATE request
            SET    run = run
            WHERE  request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')
            RETURNING state, run, first_image_id, images, completed
            """;

        /// <summary>Unfinished images stay pending rows.</summary>
        public const string Cancel = """
            UPDATE request
            SET    state = 'cancelling', run = run + 1, updated_at = @Now
            WHERE  request_id = @RequestId AND state IN ('pending', 'processing')
            """;

        /// <summary>
        /// Otherwise the sweep would find them due forever. The plus signs keep the primary key from being used:
        /// image_due has far fewer rows.
        /// </summary>
        public const string ForgetRetries = """
            UPDATE image
            SET    next_attempt_at = NULL
            WHERE  next_attempt_at IS NOT NULL AND +image_id >= @FirstImageId AND +image_id < @EndImageId
            """;

        /// <summary>Not those that were never tried: a request of millions may have been cancelled at its start.</summary>
        public const string PendAgain = """
            UPDATE image
            SET    state = 'pending', attempt = 0, next_attempt_at = NULL, error_code = NULL, http_status = NULL,
                   error_detail = NULL, updated_at = @Now
            WHERE  image_id >= @FirstImageId AND image_id < @EndImageId AND (state = 'failed' OR (state = 'pending' AND attempt > 0))
            """;

        public const string Retry = """
            UPDATE request
            SET    state = 'pending', run = run + 1, planned_to = 0, failed = 0, finished_at = NULL, updated_at = @Now
            WHERE  request_id = @RequestId AND state IN ('completed', 'failed', 'cancelled');
            DELETE FROM error_count WHERE request_id = @RequestId
            """;

        public const string Delete = """
            UPDATE request
            SET    state = 'deleting', run = run + 1, idempotency_key = NULL, updated_at = @Now
            WHERE  request_id = @RequestId AND state NOT IN ('receiving', 'deleting')
            """;

        /// <summary>Uses the partial index request_ended.</summary>
        public const string AnyEnded =
            "SELECT EXISTS (SELECT 1 FROM request WHERE finished_at < @Before AND state IN ('completed', 'failed', 'cancelled'))";

        /// <summary>
        /// The guard is repeated outside, so that a request that another sweep took, or that its owner retried in the
        /// meantime, is left alone.
        /// </summary>
        public const string DeleteEnded = """
            UPDATE request
            SET    state = 'deleting', run = run + 1, idempotency_key = NULL, updated_at = @Now
            WHERE  request_id IN (SELECT request_id FROM request
                                  WHERE finished_at < @Before AND state IN ('completed', 'failed', 'cancelled')
                                  ORDER BY finished_at LIMIT 100)
            AND    finished_at < @Before AND state IN ('completed', 'failed', 'cancelled')
            RETURNING request_id, run
            """;
    }
}
