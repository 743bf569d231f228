using System.Data.Common;
using Dapper;
using Halftone.Csv;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Results;
using Halftone.Store;
using Halftone.Telemetry;
using Halftone.Webhooks;

namespace Halftone.Pipeline;

/// <summary>
/// Closes a request: writes the result under a fresh key and flushes the images, then in one transaction switches the
/// request to the new result, sets its final state and inserts the deliveries. A Finish whose transaction changes no
/// row removes its file again; the winner removes the file it replaced.
/// </summary>
internal sealed partial class RequestCompletion(
    HalftoneDatabase database,
    IFileStore files,
    IImageStore images,
    ResultImages resultImages,
    DueSignal due,
    PublicUrls urls,
    TimeProvider time,
    ILogger<RequestCompletion> logger)
{
    public async Task HandleAsync(Message.Finish finish, CancellationToken cancellationToken)
    {
        if (await FindAsync(finish, cancellationToken) is not { } request)
        {
            return;
        }

        using var span = Traces.GoOn("finish", request.TraceParent);
        span?.SetTag("halftone.request_id", finish.RequestId);
        var key = ObjectKey.ForFile(finish.RequestId, "result", "csv");
        try
        {
            await CloseAsync(finish, request, key, cancellationToken);
        }
        catch
        {
            await DeleteUnlessNamedAsync(finish.RequestId, key);
            throw;
        }
    }

    private async Task CloseAsync(Message.Finish finish, RequestRow request, string key, CancellationToken cancellationToken)
    {
        await OutageBackoff.WaitOutAsync(
            () => WriteResultAsync(finish.RequestId, request, key, cancellationToken),
            time,
            logger,
            cancellationToken);
        await OutageBackoff.WaitOutAsync(() => FlushImagesAsync(cancellationToken), time, logger, cancellationToken);
        if (await OutageBackoff.WaitOutAsync(
            () => database.WriteAsync(transaction => CloseAsync(transaction, finish, key), cancellationToken),
            time,
            logger,
            cancellationToken) is { } state)
        {
            due.Set();
            Instruments.Ended(state.ToStored());
            Log.Closed(logger, finish.RequestId, state.ToStored(), request.Completed, request.Failed, request.Images);
            if (request.ResultKey is { } replaced)
            {
                await files.DeleteAsync(replaced, cancellationToken);
            }
        }
        else
        {
            await DeleteUnlessNamedAsync(finish.RequestId, key);
        }
    }

    private async Task<bool> FlushImagesAsync(CancellationToken cancellationToken)
    {
        await images.FlushAsync(cancellationToken);
        return true;
    }

    private async Task DeleteUnlessNamedAsync(Guid requestId, string key)
    {
        if (await database.ReadAsync(
            connection => connection.ExecuteScalarAsync<string?>(Sql.ResultKeyOf, new { RequestId = requestId }),
            CancellationToken.None) != key)
        {
            await files.DeleteAsync(key, CancellationToken.None);
        }
    }

    private Task<RequestRow?> FindAsync(Message.Finish finish, CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<RequestRow>(Sql.Finishable, new { finish.RequestId, finish.Run }),
            cancellationToken);

    private async Task<bool> WriteResultAsync(Guid requestId, RequestRow request, string key, CancellationToken cancellationToken)
    {
        await using var upload = await files.OpenReadAsync(request.UploadKey, cancellationToken)
            ?? throw new InvalidOperationException($"The upload of request {requestId} is missing: {request.UploadKey}.");
        return await files.PutAsync(
            key,
            "text/csv",
            async destination =>
            {
                string[] variants = [.. VariantSpec.Parse(request.Variants).Select(variant => variant.Name)];
                var outcomes = resultImages.ReadAsync(request.FirstImageId, request.Images, variants, cancellationToken);
                await ResultCsv.WriteAsync(
                    upload,
                    CsvDialect.Parse(request.Dialect),
                    destination,
                    outcomes,
                    variants,
                    request.EscapeFormulas,
                    cancellationToken);
                return true;
            },
            cancellationToken);
    }

    /// <returns>The final state, or null if another Finish was first or the request has moved on.</returns>
    private async Task<RequestState?> CloseAsync(DbTransaction transaction, Message.Finish finish, string key)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var parameters = new { finish.RequestId, finish.Run, ResultKey = key, Now = now };
        if (await transaction.QuerySingleOrDefaultAsync<EndedRequest>(Sql.Close, parameters) is not { } ended)
        {
            return null;
        }

        await Deliveries.InsertAsync(transaction, ended, urls, now);
        return ended.State;
    }

    private sealed record RequestRow
    {
        public required long FirstImageId { get; init; }
        public required long Images { get; init; }
        public required long Completed { get; init; }
        public required long Failed { get; init; }
        public required string Dialect { get; init; }
        public required bool EscapeFormulas { get; init; }
        public string? Variants { get; init; }
        public required string UploadKey { get; init; }
        public string? ResultKey { get; init; }
        public string? TraceParent { get; init; }
    }

    private static class Sql
    {
        public const string Finishable = """
            SELECT first_image_id, images, completed, failed, dialect,
                   escape_formulas, variants, upload_key, result_key,
                   trace_parent
            FROM   request
            WHERE  request_id = @RequestId AND run = @Run
            AND    (state = 'cancelling' OR (state IN ('pending', 'processing') AND completed + failed = images))
            """;

        public const string Close = """
            UPDATE request
            SET    state = CASE
                       WHEN state = 'cancelling' THEN 'cancelled'
                       WHEN completed > 0 OR images = 0 THEN 'completed'
                       ELSE 'failed'
                   END,
                   result_key = @ResultKey, updated_at = @Now, finished_at = @Now
            WHERE  request_id = @RequestId AND run = @Run
            AND    (state = 'cancelling' OR (state IN ('pending', 'processing') AND completed + failed = images))
            RETURNING request_id, run, state, owner, webhook_url, images,
                      completed, failed, bytes_in, bytes_out, finished_at
            """;

        public const string ResultKeyOf = "SELECT result_key FROM request WHERE request_id = @RequestId";
    }

    private static partial class Log
    {
        [LoggerMessage(931, LogLevel.Information, "Request {RequestId} is {State}: {Completed} completed, {Failed} failed of {Images}")]
        public static partial void Closed(ILogger logger, Guid requestId, string state, long completed, long failed, long images);
    }
}
