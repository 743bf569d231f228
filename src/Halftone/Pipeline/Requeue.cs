using Dapper;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;

namespace Halftone.Pipeline;

/// <summary>
/// Writes the messages of all unfinished requests into the outbox again. Increments the run, so that messages that were
/// not lost after all have no effect.
/// </summary>
internal sealed class Requeue(HalftoneDatabase database, TimeProvider time)
{
    /// <returns>Number of requests.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var requests = (await database.ReadAsync(connection => connection.QueryAsync<Guid>(Sql.Unfinished), cancellationToken)).AsList();
        var count = 0;
        foreach (var requestId in requests)
        {
            count += await RequeueAsync(requestId, cancellationToken) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Requests being deleted get their message again at every start of a server that shares its queue.</summary>
    public async Task DeleteAgainAsync(CancellationToken cancellationToken)
    {
        foreach (var requestId in await database.ReadAsync(connection => connection.QueryAsync<Guid>(Sql.Deleting), cancellationToken))
        {
            await RequeueAsync(requestId, cancellationToken);
        }
    }

    private Task<bool> RequeueAsync(Guid requestId, CancellationToken cancellationToken) => database.WriteAsync(
        async transaction =>
        {
            var parameters = new { RequestId = requestId, Now = time.GetUtcNow().ToUnixTimeMilliseconds() };
            var row = await transaction.QuerySingleOrDefaultAsync<Row>(Sql.Raise, parameters);
            if (row is null)
            {
                return false;
            }

            Message first = row.State switch
            {
                RequestState.Deleting => new Message.Delete { RequestId = requestId, Run = row.Run },
                RequestState.Cancelling => new Message.Finish { RequestId = requestId, Run = row.Run },
                _ => new Message.Plan { RequestId = requestId, Run = row.Run, After = 0 },
            };
            await Outbox.AddAsync(transaction, first, time);
            return true;
        },
        cancellationToken);

    private sealed record Row
    {
        public required RequestState State { get; init; }
        public required int Run { get; init; }
    }

    private static class Sql
    {
        public const string Unfinished =
            "SELECT request_id FROM request WHERE state IN ('pending', 'processing', 'cancelling', 'deleting') ORDER BY request_id";

        public const string Deleting = "SELECT request_id FROM request WHERE state = 'deleting'";

        public const string Raise = """
            UPDATE request
            SET    run = run + 1, planned_to = 0, updated_at = @Now
            WHERE  request_id = @RequestId AND state IN ('pending', 'processing', 'cancelling', 'deleting')
            RETURNING state, run
            """;
    }
}
