using System.Data.Common;
using Dapper;
using Halftone.Database;
using Halftone.Intake;
using Halftone.Io;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Store;

namespace Halftone.Pipeline;

/// <summary>
/// Runs at start with the in-process queue, before any work is taken, under the lock on the data folder. The queue was
/// lost with the process, so unfinished requests get a Plan, and requests being deleted their Delete. Incomplete
/// uploads are removed, and completed images of unfinished requests are processed again if their file is missing or has
/// the wrong length.
/// </summary>
internal sealed partial class Replan(
    HalftoneDatabase database,
    IFileStore files,
    IImageStore images,
    AbandonedUploads uploads,
    TimeProvider time,
    ILogger<Replan> logger)
{
    private const int PageRows = 1_000;

    /// <param name="looksAtFiles">True if files may be missing: after anything but a graceful stop.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    public async Task RunAsync(bool looksAtFiles, CancellationToken cancellationToken)
    {
        await database.WriteAsync(
            transaction => transaction.ExecuteAsync(Sql.DueDeliveries, new { Now = time.GetUtcNow().ToUnixTimeMilliseconds() }),
            cancellationToken);
        var requests = (
            await database.ReadAsync(connection => connection.QueryAsync<OpenRequest>(Sql.OpenRequests), cancellationToken)).AsList();
        foreach (var request in requests)
        {
            switch (request.State)
            {
                case RequestState.Receiving:
                    await ForgetAsync(request, cancellationToken);
                    break;
                case RequestState.Deleting:
                    await database.WriteAsync(
                        transaction =>
                            Outbox.AddAsync(transaction, new Message.Delete { RequestId = request.RequestId, Run = request.Run }, time),
                        cancellationToken);
                    break;
                default:
                    if (looksAtFiles)
                    {
                        await UndoLostFilesAsync(request, cancellationToken);
                    }

                    await database.WriteAsync(transaction => PlanAsync(transaction, request), cancellationToken);
                    Log.Replanned(logger, request.RequestId);
                    break;
            }
        }
    }

    /// <summary>Removes an upload that was never answered, so its sender does not know it.</summary>
    private async Task ForgetAsync(OpenRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (!await uploads.TryGiveUpAsync(request.RequestId, cancellationToken))
            {
                return;
            }

            await files.DeleteAllAsync(request.RequestId, cancellationToken);
            await RequestRows.DeleteAsync(database, request.RequestId, cancellationToken);
            Log.Forgot(logger, request.RequestId);
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            // A disk that is still full must not prevent the start: the next start removes it.
            OutageLog.Outage(logger, exception.Message);
        }
    }

    private async Task PlanAsync(DbTransaction transaction, OpenRequest request)
    {
        await transaction.ExecuteAsync(Sql.ResetPlannedTo, new { request.RequestId });
        await Outbox.AddAsync(transaction, new Message.Plan { RequestId = request.RequestId, Run = request.Run, After = 0 }, time);
    }

    /// <summary>
    /// Finds missing files. A power failure can lose a renamed file after its row was committed, because images are
    /// flushed once per request, at its end.
    /// </summary>
    private async Task UndoLostFilesAsync(OpenRequest request, CancellationToken cancellationToken)
    {
        var end = request.FirstImageId + request.Images;
        for (var from = request.FirstImageId; from < end; from += PageRows)
        {
            var parameters = new { FirstImageId = from, EndImageId = Math.Min(end, from + PageRows) };
            foreach (var row in await database.ReadAsync(
                connection => connection.QueryAsync<StoredImage>(Sql.CompletedImages, parameters),
                cancellationToken))
            {
                if (!await row.IsWholeAsync(images, cancellationToken))
                {
                    await database.WriteAsync(transaction => UndoAsync(transaction, request, row.ImageId), cancellationToken);
                    Log.Undone(logger, row.ImageId, request.RequestId);
                }
            }
        }
    }

    /// <summary>Resets the image and those with its URL, which share its object, in one transaction with the counters.</summary>
    private async Task UndoAsync(DbTransaction transaction, OpenRequest request, long imageId)
    {
        var parameters = new { request.RequestId, ImageId = imageId, Now = time.GetUtcNow().ToUnixTimeMilliseconds() };
        await transaction.ExecuteAsync(Sql.UncountImages, parameters);
        await transaction.ExecuteAsync(Sql.UndoImages, parameters);
    }

    private sealed record OpenRequest
    {
        public required Guid RequestId { get; init; }
        public required RequestState State { get; init; }
        public required int Run { get; init; }
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
    }

    private sealed record StoredImage : StoredOutput
    {
        public required long ImageId { get; init; }
    }

    private static class Sql
    {
        public const string OpenRequests = """
            SELECT request_id, state, run, first_image_id, images
            FROM   request
            WHERE  state IN ('receiving', 'pending', 'processing', 'cancelling', 'deleting')
            ORDER  BY request_id
            """;

        /// <summary>A first attempt that was handed out has a lease, but its process has died.</summary>
        public const string DueDeliveries =
            "UPDATE delivery SET next_attempt_at = @Now WHERE state = 'pending' AND attempt = schedule_from";

        public const string ResetPlannedTo = "UPDATE request SET planned_to = 0 WHERE request_id = @RequestId";

        public const string CompletedImages = """
            SELECT image_id, object_key, bytes_out, variants
            FROM   image
            WHERE  image_id >= @FirstImageId AND image_id < @EndImageId AND state = 'completed' AND same_as IS NULL
            ORDER  BY image_id
            """;

        public const string UncountImages = """
            UPDATE request
            SET    completed = request.completed - lost.images, reused = request.reused - lost.reused,
                   bytes_in = request.bytes_in - lost.bytes_in, bytes_out = request.bytes_out - lost.bytes_out,
                   updated_at = @Now
            FROM   (SELECT count(*) AS images, count(CASE WHEN reused THEN 1 END) AS reused,
                           coalesce(sum(bytes_in), 0) AS bytes_in, coalesce(sum(bytes_out), 0) AS bytes_out
                    FROM image WHERE (image_id = @ImageId OR same_as = @ImageId) AND state = 'completed') AS lost
            WHERE  request_id = @RequestId
            """;

        public const string UndoImages = """
            UPDATE image
            SET    state = 'pending', object_key = NULL, bytes_in = NULL, bytes_out = NULL, kept_original = NULL,
                   width = NULL, height = NULL,
                   content_hash = NULL, variants = NULL, fetch_ms = NULL, compress_ms = NULL, store_ms = NULL,
                   url_key = NULL, source_key = NULL, etag = NULL, last_modified = NULL, source_url = NULL, reused = NULL,
                   attempt = 0, updated_at = @Now
            WHERE  (image_id = @ImageId OR same_as = @ImageId) AND state = 'completed'
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(921, LogLevel.Information, "Request {RequestId} was unfinished and resumes")]
        public static partial void Replanned(ILogger logger, Guid requestId);

        [LoggerMessage(
            922,
            LogLevel.Information,
            "Upload {RequestId} was incomplete when the server ended and was never answered; removing it")]
        public static partial void Forgot(ILogger logger, Guid requestId);

        [LoggerMessage(
            923,
            LogLevel.Warning,
            "A file of image {ImageId} of request {RequestId} is missing or has the wrong length; processing the image again")]
        public static partial void Undone(ILogger logger, long imageId, Guid requestId);
    }
}
