using Halftone.Fetch;
using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>
/// Takes one image from its message to its recorded outcome, in six steps:
/// <list type="number">
/// <item>Already done? A message without effect fetches nothing.</item>
/// <item>Fetch the source. If an earlier output of the same URL is known, ask the host whether the source has changed.</item>
/// <item>Unchanged? Reuse the earlier output and skip steps 4 and 5.</item>
/// <item>Compress the source into each requested output.</item>
/// <item>Store each output.</item>
/// <item>Record the outcome. If the record did not count, remove the outputs again.</item>
/// </list>
/// Only this class knows the order: the stages do not call each other and do not use the database. Running twice has no
/// effect: the record is guarded, and each run stores under its own keys.
/// </summary>
internal sealed partial class ImageRun(
    EarlierOutputs earlierOutputs,
    ImageFetcher fetcher,
    TakeOver takeOver,
    OutputMaker outputMaker,
    OutcomeRecorder recorder,
    UnusedOutputs unused,
    IOptions<FetchOptions> fetchOptions,
    TimeProvider time,
    ILogger<ImageRun> logger)
{
    private int underWay;

    /// <summary>Images between message and recorded outcome.</summary>
    public int UnderWay => underWay;

    public async Task HandleAsync(Message.Image message, IWorkSlot slot, CancellationToken cancellationToken)
    {
        using var span = Traces.GoOn("image", message.TraceParent);
        Interlocked.Increment(ref underWay);
        try
        {
            // 1. Already done?
            var urlKey = earlierOutputs.KeyOfUrl(message);
            var standing = await OutageBackoff.WaitOutAsync(
                () => earlierOutputs.StandingOfAsync(message, urlKey, cancellationToken), time, logger, cancellationToken);
            if (standing is not ImageStanding.Open { Earlier: var earlier }
                // 2. to 5. Fetch, reuse, compress, store.
                || await MakeOutputsAsync(message, urlKey, earlier, slot, cancellationToken) is not { } outcome)
            {
                return;
            }

            // 6. Record.
            ImageReport.Describe(span, message, outcome);
            if (!await RecordAsync(outcome, cancellationToken) && outcome is RunOutcome.Completed completed)
            {
                await unused.RemoveUnlessNamedAsync(completed, cancellationToken);
            }
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    /// <summary>Records an image as failed if its message was delivered up to the limit, because it crashes workers.</summary>
    public async Task DeadLetterAsync(Message.Image message, CancellationToken cancellationToken)
    {
        Log.DeadLetter(logger, message.ImageId, message.RequestId);
        await RecordAsync(Failed(message, ErrorCode.WorkerCrashed), cancellationToken);
    }

    /// <returns>Null if the request was cancelled or deleted in the meantime: there is nothing to record.</returns>
    private async Task<RunOutcome?> MakeOutputsAsync(
        Message.Image message, string? urlKey, EarlierOutput? earlier, IWorkSlot slot, CancellationToken cancellationToken)
    {
        if (!StrangersUrl.TryParse(message.Url, out var url))
        {
            return Failed(message, ErrorCode.Of(FetchError.InvalidUrl));
        }

        // 2. Fetch. A host that cannot answer a conditional request may still send the image, so only the first attempt is conditional.
        var known = message.Attempt == 0 ? earlier?.Validators : null;
        var (result, fetchTook) = await FetchAsync(url, known, slot, cancellationToken);

        // 3. Unchanged according to the host? Reuse.
        if (result is FetchResult.NotModified)
        {
            if (await takeOver.TryAsync(message, earlier!, cancellationToken) is { } unchanged)
            {
                return Completed(message, unchanged, new Source(earlier!.BytesIn, urlKey, earlier.SourceKey, known, fetchTook));
            }

            // The earlier output was removed since it was found.
            (result, fetchTook) = await FetchAsync(url, null, slot, cancellationToken);
        }

        if (result is FetchResult.Failed notFetched)
        {
            return NotFetched(message, notFetched);
        }

        // 3. Unchanged according to its bytes? Reuse.
        var fetched = (FetchResult.Fetched)result;
        using var body = fetched.Body;
        var sourceKey = SourceKeyOf(message, fetched, earlier);
        var source = new Source(body.Bytes.Length, urlKey, sourceKey, fetched.Validators, fetchTook);
        if (await FindBySourceAsync(message, sourceKey, cancellationToken) is { } equal
            && await takeOver.TryAsync(message, equal, cancellationToken) is { } copied)
        {
            return Completed(message, copied, source);
        }

        // 4. Compress and 5. store each output.
        return await outputMaker.MakeAsync(message, body.Bytes, cancellationToken) switch
        {
            MakeResult.Made made => Completed(message, made.Outputs, source),
            MakeResult.Refused refused => Failed(message, refused.ErrorCode),
            _ => null,
        };
    }

    private Task<(FetchResult Result, TimeSpan Took)> FetchAsync(
        Uri url, Validators? known, IWorkSlot slot, CancellationToken cancellationToken) =>
        Stage.RunAsync("fetch", () => fetcher.FetchAsync(url, known, slot, cancellationToken));

    /// <summary>
    /// Null if the source is not hashed. Hashing costs a tenth of everything but the codec, so only sources are hashed
    /// whose host cannot answer conditional requests, or sent the body all the same.
    /// </summary>
    private string? SourceKeyOf(Message.Image message, FetchResult.Fetched fetched, EarlierOutput? earlier) =>
        fetched.Validators is null || earlier is not null ? earlierOutputs.KeyOfSource(message, fetched.Body.Bytes.Span) : null;

    /// <summary>Null in an outage too, which is not waited out, because the output can be made again.</summary>
    private async Task<EarlierOutput?> FindBySourceAsync(Message.Image message, string? sourceKey, CancellationToken cancellationToken) =>
        sourceKey is null ? null : await OutageBackoff.TryOnceAsync(
            () => earlierOutputs.FindBySourceAsync(message, sourceKey, cancellationToken), otherwise: null, logger);

    /// <returns>False if another run was faster, or the request has moved on.</returns>
    private async Task<bool> RecordAsync(RunOutcome outcome, CancellationToken cancellationToken)
    {
        var (isRecorded, _) = await Stage.RunAsync("record", () => recorder.RecordAsync(outcome, cancellationToken));
        if (isRecorded)
        {
            ImageReport.Count(outcome);
        }

        return isRecorded;
    }

    private static RunOutcome.Completed Completed(Message.Image message, ImageOutputs outputs, Source source) => new()
    {
        RequestId = message.RequestId,
        Run = message.Run,
        ImageId = message.ImageId,
        ObjectKey = outputs.Main.ObjectKey,
        BytesIn = source.Bytes,
        BytesOut = outputs.Main.Bytes,
        KeptOriginal = outputs.KeptOriginal,
        Width = outputs.Main.Width,
        Height = outputs.Main.Height,
        ContentHash = outputs.Main.ContentHash,
        Variants = outputs.Variants,
        FetchMs = (long)source.FetchTook.TotalMilliseconds,
        CompressMs = (long)outputs.CompressTook.TotalMilliseconds,
        StoreMs = (long)outputs.StoreTook.TotalMilliseconds,
        Reused = outputs.Reused,
        UrlKey = source.UrlKey,
        SourceKey = source.SourceKey,
        Validators = source.Validators,
    };

    private static RunOutcome.Failed Failed(Message.Image message, string errorCode, int? httpStatus = null) => new()
    {
        RequestId = message.RequestId,
        Run = message.Run,
        ImageId = message.ImageId,
        ErrorCode = errorCode,
        HttpStatus = httpStatus,
        Host = StrangersUrl.TryParse(message.Url, out var url) ? url.Host : "",
    };

    /// <summary>Postponed while the schedule has another attempt, otherwise failed.</summary>
    private RunOutcome NotFetched(Message.Image message, FetchResult.Failed failed)
    {
        Log.NotFetched(logger, message.ImageId, failed.Error, failed.HttpStatus, message.Attempt, failed.Detail);
        var pause = !failed.Retryable ? null : RetrySchedule.NextDelay(
            fetchOptions.Value.RetryDelays, message.Attempt + 1, failed.RetryAfter, Random.Shared.NextDouble());
        return pause is null ? Failed(message, ErrorCode.Of(failed.Error), failed.HttpStatus) : new RunOutcome.Postponed
        {
            RequestId = message.RequestId,
            Run = message.Run,
            ImageId = message.ImageId,
            Attempt = message.Attempt,
            NextAttemptAt = time.GetUtcNow() + pause.Value,
            ErrorCode = ErrorCode.Of(failed.Error),
            HttpStatus = failed.HttpStatus,
        };
    }

    /// <summary>Details of a source that are recorded with its outcome.</summary>
    private sealed record Source(long Bytes, string? UrlKey, string? SourceKey, Validators? Validators, TimeSpan FetchTook);

    private static partial class Log
    {
        [LoggerMessage(
            901,
            LogLevel.Information,
            "Image {ImageId} could not be fetched: {Error} (HTTP {HttpStatus}) on attempt {Attempt}; {Detail}")]
        public static partial void NotFetched(ILogger logger, long imageId, FetchError error, int? httpStatus, int attempt, string detail);

        [LoggerMessage(903, LogLevel.Error, "Image {ImageId} of request {RequestId} reached the delivery limit")]
        public static partial void DeadLetter(ILogger logger, long imageId, Guid requestId);
    }
}
