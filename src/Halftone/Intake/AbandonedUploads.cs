using System.Threading.Channels;
using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Store;

namespace Halftone.Intake;

/// <summary>
/// Removes uploads that were never answered: uploads that failed in this process, at once, and uploads whose process
/// died while reading them. Each chunk of rows is a sign of life; an upload without one for several minutes is marked
/// for deletion. Any number of processes may do this at a time. A process that was only slow finds that its upload is
/// gone, and answers with an error.
/// </summary>
internal sealed partial class AbandonedUploads(
    HalftoneDatabase database,
    IFileStore files,
    OutboxRelay relay,
    TimeProvider time,
    ILogger<AbandonedUploads> logger)
    : PeriodicSweep(Interval, Interval, time, logger)
{
    /// <summary>A chunk takes a second; the rest allows for clocks that differ between machines.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Uploads that failed while the database or the store was unavailable; they must not hold their keys for
    /// <see cref="LongestSilence"/>.
    /// </summary>
    private readonly Channel<Guid> waiting = Channel.CreateUnbounded<Guid>();

    /// <summary>Gives up a failed upload, now or when the database and the store are available again.</summary>
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
    /// Removes the upload unless it was committed and only the answer was lost: then the request stays. A single
    /// statement decides this, because that commit may still be in progress and is waited for. The queue removes rows;
    /// a body without rows is removed here.
    /// </summary>
    /// <returns>True if the upload no longer exists.</returns>
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

                return (await transaction.QuerySingleOrDefaultAsync<StateRow>(Sql.State, parameters))?.State;
            },
            cancellationToken);
        if (state is null)
        {
            await files.DeleteAllAsync(requestId, cancellationToken);
        }

        relay.Wake();
        return state is null or RequestState.Deleting;
    }

    /// <summary>Runs one pass; public for tests.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        var parameters = new { Now = now.ToUnixTimeMilliseconds(), Abandoned = (now - LongestSilence).ToUnixTimeMilliseconds() };
        // Looks on a reading connection first, so that an idle server takes no lock.
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

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(base.ExecuteAsync(stoppingToken), GiveUpWaitingAsync(stoppingToken));

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
#pragma warning disable CA1031 // The sweep removes it later; the uploads after it must not wait.
                catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
                {
                    Log.NotGivenUp(Logger, requestId, exception);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Another process or the next start takes what is still waiting.
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
        [LoggerMessage(802, LogLevel.Warning, "Upload {RequestId} was never completed or answered by its process; removing it")]
        public static partial void Abandoned(ILogger logger, Guid requestId);

        [LoggerMessage(
            803,
            LogLevel.Error,
            "Upload {RequestId} failed and could not be removed; the sweep will retry after 5 minutes without activity")]
        public static partial void NotGivenUp(ILogger logger, Guid requestId, Exception exception);
    }
}
