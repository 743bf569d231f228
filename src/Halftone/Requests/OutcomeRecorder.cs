using System.Data.Common;
using System.Threading.Channels;
using Dapper;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;

namespace Halftone.Requests;

/// <summary>
/// Writes outcomes in batches of those that arrived during the previous commit, so that one fsync serves many images.
/// Every write is guarded: the image must still be pending, and the request open and in this run. A failed batch is
/// written one by one, so that one bad row harms no other. The writer that reaches <c>done = total</c> adds Finish to
/// the outbox in the same transaction.
/// </summary>
internal sealed partial class OutcomeRecorder(
    HalftoneDatabase database,
    OutboxRelay relay,
    TimeProvider time,
    ILogger<OutcomeRecorder> logger) : BackgroundService
{
    private const int LargestBatch = 256;

    private readonly Channel<Waiting> arrived = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });

    /// <summary>
    /// Returns after the commit: true if this call changed the row, false if another already had, or the request has
    /// moved on.
    /// </summary>
    public async Task<bool> RecordAsync(RunOutcome outcome, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(outcome, new(TaskCreationOptions.RunContinuationsAsynchronously));
        await arrived.Writer.WriteAsync(waiting, cancellationToken);
        return await waiting.Changed.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Waiting>(LargestBatch);
        try
        {
            while (await arrived.Reader.WaitToReadAsync(stoppingToken))
            {
                while (batch.Count < LargestBatch && arrived.Reader.TryRead(out var waiting))
                {
                    batch.Add(waiting);
                }

                await RecordBatchAsync(batch, stoppingToken);
                batch.Clear();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Outcomes that were not recorded are processed again after the next start.
        }
    }

    private async Task RecordBatchAsync(List<Waiting> batch, CancellationToken cancellationToken)
    {
        batch.Sort(static (a, b) => (a.Outcome.RequestId, a.Outcome.ImageId).CompareTo((b.Outcome.RequestId, b.Outcome.ImageId)));
        if (await TryRecordAsync(batch, cancellationToken) is not null && batch.Count > 1)
        {
            foreach (var waiting in batch)
            {
                if (await TryRecordAsync([waiting], cancellationToken) is { } alone)
                {
                    waiting.Changed.TrySetException(alone);
                }
            }
        }
    }

    /// <summary>Records all of them or none; an outage of the database is waited out.</summary>
    /// <returns>Null, or why nothing was recorded; a single one has already been notified.</returns>
    private async Task<Exception?> TryRecordAsync(List<Waiting> batch, CancellationToken cancellationToken)
    {
        try
        {
            // A URL that occurs in millions of rows takes long to record: after a timeout it gets three times as long.
            int? patience = null;
            var (changed, finishes) = await OutageBackoff.WaitOutAsync(
                async () =>
                {
                    try
                    {
                        return await database.WriteAsync(transaction => WriteAsync(transaction, batch, patience), cancellationToken);
                    }
                    catch (Exception exception) when (exception is TimeoutException || exception.InnerException is TimeoutException)
                    {
                        patience = Math.Min((patience ?? database.StatementSeconds) * 3, HalftoneDatabase.LongStatementSeconds);
                        throw;
                    }
                },
                time,
                logger,
                cancellationToken);
            if (finishes)
            {
                relay.Wake();
            }

            for (var i = 0; i < batch.Count; i++)
            {
                batch[i].Changed.TrySetResult(changed[i]);
            }

            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (MovedOnException) when (batch.Count == 1)
        {
            // The image's guard sees the request as it is now.
            return await TryRecordAsync(batch, cancellationToken);
        }
#pragma warning disable CA1031 // Any row may contain something that breaks a statement; the others must still be recorded.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (exception is not MovedOnException)
            {
                Log.BatchFailed(logger, batch.Count, exception);
            }

            if (batch.Count == 1)
            {
                batch[0].Changed.TrySetException(exception);
            }

            return exception;
        }
    }

    private async Task<(bool[] Changed, bool Finishes)> WriteAsync(DbTransaction transaction, List<Waiting> batch, int? patienceSeconds)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var changed = new bool[batch.Count];
        var finishes = false;
        var sums = new Sums();
        for (var i = 0; i < batch.Count; i++)
        {
            var outcome = batch[i].Outcome;
            var rows = await transaction.ExecuteAsync(StatementFor(outcome), ParametersOf(outcome, now), patienceSeconds);
            changed[i] = rows > 0;
            sums.Add(outcome, rows);
            var lastOfRequest = i + 1 == batch.Count
                || batch[i + 1].Outcome.RequestId != outcome.RequestId
                || batch[i + 1].Outcome.Run != outcome.Run;
            if (lastOfRequest && sums.Any)
            {
                finishes |= await WriteRequestAsync(transaction, outcome, sums, now);
                sums = new();
            }
        }

        return (changed, finishes);
    }

    private static string StatementFor(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Completed => Sql.Complete,
        RunOutcome.Failed => Sql.Fail,
        _ => Sql.Postpone,
    };

    private static object ParametersOf(RunOutcome outcome, long now) => outcome switch
    {
        RunOutcome.Completed completed => new
        {
            completed.RequestId,
            completed.Run,
            completed.ImageId,
            completed.ObjectKey,
            completed.BytesIn,
            completed.BytesOut,
            completed.KeptOriginal,
            completed.Width,
            completed.Height,
            completed.ContentHash,
            Variants = StoredVariant.ToJson(completed.Variants),
            completed.FetchMs,
            completed.CompressMs,
            completed.StoreMs,
            completed.Reused,
            completed.UrlKey,
            completed.SourceKey,
            completed.Validators?.ETag,
            LastModified = completed.Validators?.LastModified?.ToUnixTimeMilliseconds(),
            SourceUrl = completed.Validators?.RedirectedTo,
            Now = now,
        },
        RunOutcome.Failed failed =>
            new { failed.RequestId, failed.Run, failed.ImageId, failed.ErrorCode, failed.HttpStatus, failed.Detail, Now = now },
        RunOutcome.Postponed postponed => new
        {
            postponed.RequestId,
            postponed.Run,
            postponed.ImageId,
            postponed.Attempt,
            postponed.ErrorCode,
            postponed.HttpStatus,
            NextAttemptAt = postponed.NextAttemptAt.ToUnixTimeMilliseconds(),
            Now = now,
        },
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>
    /// The request's row comes last, so that two recorders hold its lock as briefly as possible; before it, everything
    /// else they share, in a fixed order.
    /// </summary>
    private async Task<bool> WriteRequestAsync(DbTransaction transaction, RunOutcome outcome, Sums sums, long now)
    {
        foreach (var ((errorCode, host), images) in sums.Errors)
        {
            await transaction.ExecuteAsync(Sql.CountError, new { outcome.RequestId, ErrorCode = errorCode, Host = host, Images = images });
        }

        var open = await transaction.QuerySingleOrDefaultAsync<long?>(
            Sql.Count,
            new { outcome.RequestId, outcome.Run, sums.Completed, sums.Reused, sums.Failed, sums.BytesIn, sums.BytesOut, Now = now });
        if (open is null)
        {
            // The request changed between the image's guard and this statement: nothing of this transaction may stay.
            throw new MovedOnException();
        }

        if (open == 0)
        {
            await Outbox.AddAsync(transaction, new Message.Finish { RequestId = outcome.RequestId, Run = outcome.Run }, time);
        }

        return open == 0;
    }

    /// <summary>A request was cancelled or deleted while its outcomes were being written.</summary>
    private sealed class MovedOnException : Exception;

    private sealed record Waiting(RunOutcome Outcome, TaskCompletionSource<bool> Changed);

    /// <summary>The changes that the outcomes of one request make to its counters.</summary>
    private sealed class Sums
    {
        /// <summary>
        /// Postponed images add nothing, but the request's row is locked all the same: otherwise a cancel between their
        /// statement and the commit would leave them due forever, which every sweep would find and none could hand out.
        /// </summary>
        public bool Any => Completed + Failed + Postponed > 0;
        public long Completed { get; private set; }
        public long Reused { get; private set; }
        public long Failed { get; private set; }
        public long Postponed { get; private set; }
        public long BytesIn { get; private set; }
        public long BytesOut { get; private set; }

        /// <summary>Number of images by code and host.</summary>
        public SortedDictionary<(string ErrorCode, string Host), long> Errors { get; } = new(
            Comparer<(string ErrorCode, string Host)>.Create(static (a, b) =>
                string.CompareOrdinal(a.ErrorCode, b.ErrorCode) is not 0 and var byCode ? byCode : string.CompareOrdinal(a.Host, b.Host)));

        /// <param name="outcome">The recorded outcome.</param>
        /// <param name="rows">Number of rows changed: an image and those with the same URL.</param>
        public void Add(RunOutcome outcome, int rows)
        {
            if (outcome is RunOutcome.Completed completed)
            {
                Completed += rows;
                Reused += completed.Reused ? rows : 0;
                BytesIn += rows * completed.BytesIn;
                BytesOut += rows * completed.BytesOut;
            }
            else if (outcome is RunOutcome.Failed failed && rows > 0)
            {
                Failed += rows;
                Errors[(failed.ErrorCode, failed.Host)] = Errors.GetValueOrDefault((failed.ErrorCode, failed.Host)) + rows;
            }
            else if (outcome is RunOutcome.Postponed)
            {
                Postponed += rows;
            }
        }
    }

    private static class Sql
    {
        /// <summary>
        /// The image and those with the same URL, if still pending in this run of an open request. Only one of them
        /// needs to be found later.
        /// </summary>
        public const string Complete = """
            UPDATE image
            SET    state = 'completed', next_attempt_at = NULL, error_code = NULL, http_status = NULL,
                   error_detail = NULL, object_key = @ObjectKey,
                   bytes_in = @BytesIn, bytes_out = @BytesOut, kept_original = @KeptOriginal, width = @Width, height = @Height,
                   content_hash = @ContentHash, variants = CASE WHEN image_id = @ImageId THEN @Variants END,
                   fetch_ms = @FetchMs, compress_ms = @CompressMs, store_ms = @StoreMs,
                   url_key = CASE WHEN image_id = @ImageId THEN @UrlKey END, source_key = CASE WHEN image_id = @ImageId THEN @SourceKey END,
                   etag = CASE WHEN image_id = @ImageId THEN @ETag END,
                   last_modified = CASE WHEN image_id = @ImageId THEN CAST(@LastModified AS BIGINT) END,
                   source_url = CASE WHEN image_id = @ImageId THEN @SourceUrl END, reused = @Reused, updated_at = @Now
            WHERE  (image_id = @ImageId OR same_as = @ImageId) AND state = 'pending'
            AND    EXISTS (SELECT 1 FROM request WHERE request_id = @RequestId AND run = @Run AND state IN ('pending', 'processing'))
            """;

        public const string Fail = """
            UPDATE image
            SET    state = 'failed', next_attempt_at = NULL, error_code = @ErrorCode, http_status = @HttpStatus,
                   error_detail = @Detail, updated_at = @Now
            WHERE  (image_id = @ImageId OR same_as = @ImageId) AND state = 'pending'
            AND    EXISTS (SELECT 1 FROM request WHERE request_id = @RequestId AND run = @Run AND state IN ('pending', 'processing'))
            """;

        /// <summary>Only if the attempt is the message's: a duplicate uses none up.</summary>
        public const string Postpone = """
            UPDATE image
            SET    attempt = attempt + 1, next_attempt_at = @NextAttemptAt, error_code = @ErrorCode, http_status = @HttpStatus,
                   updated_at = @Now
            WHERE  image_id = @ImageId AND state = 'pending' AND attempt = @Attempt
            AND    EXISTS (SELECT 1 FROM request WHERE request_id = @RequestId AND run = @Run AND state IN ('pending', 'processing'))
            """;

        public const string CountError = """
            INSERT INTO error_count (request_id, error_code, host, images) VALUES (@RequestId, @ErrorCode, @Host, @Images)
            ON CONFLICT (request_id, error_code, host) DO UPDATE SET images = error_count.images + excluded.images
            """;

        /// <summary>Returns the number of open images; no row if the request has moved on.</summary>
        public const string Count = """
            UPDATE request
            SET    completed = completed + @Completed, reused = reused + @Reused, failed = failed + @Failed,
                   bytes_in = bytes_in + @BytesIn, bytes_out = bytes_out + @BytesOut, updated_at = @Now
            WHERE  request_id = @RequestId AND run = @Run AND state IN ('pending', 'processing')
            RETURNING images - completed - failed
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(711, LogLevel.Error, "A batch of {Outcomes} outcomes could not be recorded")]
        public static partial void BatchFailed(ILogger logger, int outcomes, Exception exception);
    }
}
