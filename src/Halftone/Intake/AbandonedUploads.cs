using System.Threading.Channels;
using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Store;

namespace Halftone.Intake;

/// <summary>
/// Removes uploads that were never answered: those that failed here, at once, and those whose process died while it took them in: each chunk of rows is a
/// sign of life, and one that gave none for long becomes a request to be deleted. Any number of processes may do it at a time; whoever was only slow finds
/// that its upload is no longer one, and answers an error.
/// </summary>
internal sealed partial class AbandonedUploads(HalftoneDatabase database, StoredFiles files, OutboxRelay relay, TimeProvider time, ILogger<AbandonedUploads> logger)
    : PeriodicSweep(Interval, Interval, time, logger)
{
    /// <summary>A chunk takes a second; the rest is for clocks that differ from machine to machine.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Failed while the database or the store was away: their keys are not to be held for <see cref="LongestSilence"/>.</summary>
    private readonly Channel<Guid> waiting = Channel.CreateUnbounded<Guid>();

    /// <summary>Gives up an upload that failed, now or when database and store are there again.</summary>
    public async Task GiveUpAsync(Guid requestId)
    {
        try
        {
            await TryGiveUpAsync(requestId, CancellationToken.None);
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            waiting.Writer.TryWrite(requestId);
        }
    }

    /// <summary>
    /// Unless its promise was committed and only the answer got lost: then the request stands. One statement says so, because that commit may still be
    /// under way, and is waited for. Rows are removed by the queue, a body without rows here.
    /// </summary>
    /// <returns>Whether the upload is none any more.</returns>
    public async Task<bool> TryGiveUpAsync(Guid requestId, CancellationToken cancellationToken)
    {
        var state = await database.WriteAsync(
            async transaction =>
            {
                var parameters = new { RequestId = requestId, Now = Time.GetUtcNow().ToUnixTimeMilliseconds() };
                if (await transaction.QuerySingleOrDefaultAsync<Upload>(Sql.GiveUp, parameters) is { } upload)
                {
                    await Outbox.AddAsync(transaction, upload.Delete, Time);
                }

                return await transaction.ExecuteScalarAsync<string?>(Sql.State, parameters);
            },
            cancellationToken);
        if (state is null)
        {
            await files.Store.DeleteAllAsync(requestId, cancellationToken);
        }

        relay.Wake();
        return state is null or "deleting";
    }

    /// <summary>One pass; public to tests.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        var parameters = new { Now = now.ToUnixTimeMilliseconds(), Abandoned = (now - LongestSilence).ToUnixTimeMilliseconds() };
        // Looked for on a reading connection first: an idle server takes no lock.
        if (!await database.ReadAsync(connection => connection.ExecuteScalarAsync<bool>(Sql.Any, parameters), cancellationToken))
        {
            return;
        }

        await database.WriteAsync(
            async transaction =>
            {
                foreach (var upload in await transaction.QueryAsync<Upload>(Sql.Abandon, parameters))
                {
                    await Outbox.AddAsync(transaction, upload.Delete, Time);
                    Log.Abandoned(Logger, upload.RequestId);
                }
            },
            cancellationToken);
        relay.Wake();
    }

    protected override Task PassAsync(CancellationToken cancellationToken) => SweepAsync(cancellationToken);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(base.ExecuteAsync(stoppingToken), GiveUpWaitingAsync(stoppingToken));

    private async Task GiveUpWaitingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var requestId in waiting.Reader.ReadAllAsync(cancellationToken))
            {
                try
                {
                    await OutageBackoff.WaitOutAsync(() => TryGiveUpAsync(requestId, cancellationToken), Time, Logger, cancellationToken);
                }
#pragma warning disable CA1031 // The sweep takes it; those behind it must not wait for that.
                catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
                {
                    Log.NotGivenUp(Logger, requestId, exception);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What waits still is taken by another process, or by the next start.
        }
    }

    private sealed record Upload
    {
        public required Guid RequestId { get; init; }
        public required int Run { get; init; }

        public Message Delete => new Message.Delete { RequestId = RequestId, Run = Run };
    }

    private static class Sql
    {
        /// <summary>Uses the partial index request_open.</summary>
        public const string Any = "SELECT EXISTS (SELECT 1 FROM request WHERE state = 'receiving' AND updated_at < @Abandoned)";

        private const string Delete = "UPDATE request SET state = 'deleting', run = run + 1, idempotency_key = NULL, updated_at = @Now";

        public const string Abandon = $"{Delete} WHERE state = 'receiving' AND updated_at < @Abandoned RETURNING request_id, run";

        public const string GiveUp = $"{Delete} WHERE state = 'receiving' AND request_id = @RequestId RETURNING request_id, run";

        public const string State = "SELECT state FROM request WHERE request_id = @RequestId";
    }

    private static partial class Log
    {
        [LoggerMessage(802, LogLevel.Warning, "Upload {RequestId} was not wholly taken in by whoever began it; it was never answered and is removed")]
        public static partial void Abandoned(ILogger logger, Guid requestId);

        [LoggerMessage(803, LogLevel.Error, "Upload {RequestId} failed and could not be removed; it is when it has been silent for minutes")]
        public static partial void NotGivenUp(ILogger logger, Guid requestId, Exception exception);
    }
}
