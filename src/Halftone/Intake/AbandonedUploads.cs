using Dapper;
using Halftone.Database;
using Halftone.Queue;

namespace Halftone.Intake;

/// <summary>
/// Removes uploads whose process died while it took them in: each chunk of rows is a sign of life, and one that gave none for long becomes a request
/// to be deleted. Any number of processes may do it at a time; whoever was only slow finds that its upload is no longer one, and answers an error.
/// </summary>
internal sealed partial class AbandonedUploads(HalftoneDatabase database, OutboxRelay relay, TimeProvider time, ILogger<AbandonedUploads> logger) : BackgroundService
{
    /// <summary>A chunk takes a second; the rest is for clocks that differ from machine to machine.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>One pass; public to tests.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var parameters = new { Now = now.ToUnixTimeMilliseconds(), Abandoned = (now - LongestSilence).ToUnixTimeMilliseconds() };
        // Looked for on a reading connection first: an idle server takes no lock.
        if (!await database.ReadAsync(connection => connection.ExecuteScalarAsync<bool>(Sql.Any, parameters), cancellationToken))
        {
            return;
        }

        await database.WriteAsync(
            async transaction =>
            {
                foreach (var upload in await transaction.Connection!.QueryAsync<Upload>(Sql.Abandon, parameters, transaction))
                {
                    await Outbox.AddAsync(transaction, new Message.Delete { RequestId = upload.RequestId, Run = upload.Run }, time);
                    Log.Abandoned(logger, upload.RequestId);
                }
            },
            cancellationToken);
        relay.Wake();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await Task.Delay(Interval, time, stoppingToken);
                await SweepAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The sweep must outlive every outage.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.SweepFailed(logger, exception);
            }
        }
    }

    private sealed record Upload
    {
        public required Guid RequestId { get; init; }
        public required int Run { get; init; }
    }

    private static class Sql
    {
        /// <summary>Uses the partial index request_open.</summary>
        public const string Any = "SELECT EXISTS (SELECT 1 FROM request WHERE state = 'receiving' AND updated_at < @Abandoned)";

        public const string Abandon = """
            UPDATE request
            SET    state = 'deleting', run = run + 1, idempotency_key = NULL, updated_at = @Now
            WHERE  state = 'receiving' AND updated_at < @Abandoned
            RETURNING request_id AS RequestId, run AS Run
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(121, LogLevel.Warning, "Upload {RequestId} was not wholly taken in by whoever began it; it was never answered and is removed")]
        public static partial void Abandoned(ILogger logger, Guid requestId);

        [LoggerMessage(122, LogLevel.Error, "Abandoned uploads could not be looked for; tried again in a minute")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
