using System.Diagnostics;
using System.Security.Cryptography;
using Dapper;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Fetch;
using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Store;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>
/// One image from message to recorded outcome: fetch, compress, store, record. The only place that knows this order; the stages
/// never call each other and never touch the database. Where an earlier output is still good it takes the place of compressing, and its origin's word that
/// nothing has changed that of fetching. Running twice changes nothing: the record is guarded, and each run stores
/// under a key of its own, which it removes again when its record was not the one that counted.
/// </summary>
internal sealed partial class ImageRun(
    HalftoneDatabase database,
    ImageFetcher fetcher,
    CodecPool codec,
    StoredImages images,
    EarlierOutputs outputs,
    OutcomeRecorder recorder,
    IOptions<FetchOptions> fetchOptions,
    IOptions<QueueOptions> queueOptions,
    TimeProvider time,
    ILogger<ImageRun> logger)
{
    /// <summary>The output that was asked for before any variant; no variant can have this name.</summary>
    private const string MainName = "";

    private int underWay;

    /// <summary>Images between message and recorded outcome.</summary>
    public int UnderWay => underWay;

    public async Task HandleAsync(Message.Image message, IWorkSlot slot, CancellationToken cancellationToken)
    {
        using var span = Traces.GoOn("image", message.TraceParent);
        Interlocked.Increment(ref underWay);
        try
        {
            await RunToRecordAsync(message, slot, span, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    private async Task RunToRecordAsync(Message.Image message, IWorkSlot slot, Activity? span, CancellationToken cancellationToken)
    {
        // Nothing is fetched for a message that can change nothing.
        var urlKey = outputs.KeyOfUrl(message);
        if (await OutageBackoff.WaitOutAsync(() => outputs.IsPendingAndKnownAsync(message, urlKey, cancellationToken), time, logger, cancellationToken) is not { } isKnown)
        {
            return;
        }

        var earlier = isKnown ? await OutageBackoff.WaitOutAsync(() => outputs.FindByUrlAsync(message, urlKey!, cancellationToken), time, logger, cancellationToken) : null;
        if (await RunAsync(message, earlier, slot, cancellationToken) is not { } outcome)
        {
            return;
        }

        if (outcome is RunOutcome.Completed completed)
        {
            outcome = completed with { UrlKey = urlKey };
        }

        Describe(span, message, outcome);
        var changed = await RecordAsync(outcome, cancellationToken);
        if (!changed && outcome is RunOutcome.Completed unused)
        {
            await RemoveUnlessNamedAsync(unused, cancellationToken);
        }
    }

    /// <summary>A message that was handed out up to the limit: its image brings workers down, so it is not tried again.</summary>
    public async Task DeadLetterAsync(Message.Image message, CancellationToken cancellationToken)
    {
        Log.DeadLetter(logger, message.ImageId, message.RequestId);
        await RecordAsync(Failed(message, ErrorCode.WorkerCrashed, null), cancellationToken);
    }

    /// <returns>Null where the request has moved on, so that there is nothing to record.</returns>
    private async Task<RunOutcome?> RunAsync(Message.Image message, EarlierOutput? earlier, IWorkSlot slot, CancellationToken cancellationToken)
    {
        if (!StrangersUrl.TryParse(message.Url, out var url))
        {
            return Failed(message, ErrorCode.Of(FetchError.InvalidUrl), null);
        }

        // A host that cannot answer a question may still give the image: only the first attempt asks.
        var known = message.Attempt == 0 ? earlier?.Validators : null;
        var (fetchResult, fetchTook) = await StageAsync("fetch", () => fetcher.FetchAsync(url, known, slot, cancellationToken));
        if (fetchResult is FetchResult.NotModified)
        {
            if (await TakeOverAsync(message, earlier!, earlier!.Validators, fetchTook, cancellationToken) is { } unchanged)
            {
                return unchanged;
            }

            // The earlier output has gone since it was found.
            (fetchResult, fetchTook) = await StageAsync("fetch", () => fetcher.FetchAsync(url, null, slot, cancellationToken));
        }

        if (fetchResult is FetchResult.Failed notFetched)
        {
            return NotFetched(message, notFetched);
        }

        var fetched = (FetchResult.Fetched)fetchResult;
        using var source = fetched.Body;
        // Hashing costs a tenth of everything but the codec: it is for origins that cannot be asked, or that were and sent the body all the same.
        var sourceKey = fetched.Validators is null || earlier is not null ? outputs.KeyOfSource(message, source.Bytes.Span) : null;
        if (sourceKey is not null
            && await OnceAsync(() => outputs.FindBySourceAsync(message, sourceKey, cancellationToken), null) is { } equal
            && await TakeOverAsync(message, equal, fetched.Validators, fetchTook, cancellationToken) is { } same)
        {
            return same;
        }

        var (made, errorCode) = await MakeAsync(message, source.Bytes, cancellationToken);
        if (errorCode is not null)
        {
            return Failed(message, errorCode, null);
        }

        return made is null ? null : new RunOutcome.Completed
        {
            RequestId = message.RequestId,
            Run = message.Run,
            ImageId = message.ImageId,
            ObjectKey = made.Main.ObjectKey,
            BytesIn = source.Bytes.Length,
            BytesOut = made.Main.Bytes,
            KeptOriginal = made.KeptOriginal,
            Width = made.Main.Width,
            Height = made.Main.Height,
            ContentHash = made.Main.ContentHash,
            Variants = made.Variants,
            FetchMs = (long)fetchTook.TotalMilliseconds,
            CompressMs = (long)made.CompressTook.TotalMilliseconds,
            StoreMs = (long)made.StoreTook.TotalMilliseconds,
            SourceKey = sourceKey,
            Validators = fetched.Validators,
        };
    }

    /// <summary>Makes the output and each variant of the same bytes and stores them, with one of them in memory at a time; all of them, or none.</summary>
    /// <returns>What was made, or why nothing was; neither where the request has moved on meanwhile.</returns>
    private async Task<(MadeOutputs? Made, string? ErrorCode)> MakeAsync(Message.Image message, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        VariantSpec[] variants = [.. VariantSpec.Parse(message.Variants)];
        var made = new MadeOutputs();
        try
        {
            foreach (var variant in variants.Prepend(new VariantSpec { Name = MainName, MaxWidth = message.MaxWidth, MaxHeight = message.MaxHeight }))
            {
                if (made.All.Count > 0 && !await OutageBackoff.WaitOutAsync(() => IsStillWantedAsync(message, cancellationToken), time, logger, cancellationToken))
                {
                    return (null, null);
                }

                var wanted = variant.ToRequest(message.Quality, message.Format);
                var (result, compressTook) = await StageAsync(
                    "compress",
                    () => OutageBackoff.WaitOutAsync(() => codec.CompressAsync(source, wanted, cancellationToken), time, logger, cancellationToken));
                if (result is CodecResult.Refused refused)
                {
                    Log.NotCompressed(logger, message.ImageId, variant.Name, refused.Error, refused.Detail);
                    return (null, ErrorCode.Of(refused.Error));
                }

                var output = (CodecResult.Compressed)result;
                var (stored, storeTook) = await StageAsync("store", () => StoreAsync(message, variant.Name, output, cancellationToken));
                made.Add(stored, output.KeptOriginal, compressTook, storeTook);
            }

            return (made, null);
        }
        catch (StoreRefusedException refused)
        {
            Log.NotStored(logger, message.ImageId, refused.Message);
            return (null, ErrorCode.StoreRefused);
        }
        finally
        {
            // Who stops does not wait for a store: the sweep takes what is left.
            if (made.All.Count <= variants.Length && !cancellationToken.IsCancellationRequested)
            {
                await RemoveAsync(made.All.Select(stored => stored.ObjectKey));
            }
        }
    }

    /// <summary>
    /// Asked before each further output, because many of them take long: of a request that was cancelled or deleted no more are made, and a retry's image is
    /// kept from being handed out again beside this run.
    /// </summary>
    private async Task<bool> IsStillWantedAsync(Message.Image message, CancellationToken cancellationToken)
    {
        var parameters = new { message.ImageId, message.Attempt, Lease = (time.GetUtcNow() + queueOptions.Value.Lease).ToUnixTimeMilliseconds() };
        if (message.Attempt > 0)
        {
            await database.WriteAsync(transaction => transaction.ExecuteAsync(Sql.RenewLease, parameters), cancellationToken);
        }

        return await outputs.IsPendingAndKnownAsync(message, null, cancellationToken) is not null;
    }

    /// <summary>What there is a way without: an outage is not waited out.</summary>
    private async Task<T> OnceAsync<T>(Func<Task<T>> ask, T otherwise)
    {
        try
        {
            return await ask();
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            OutageLog.Outage(logger, exception.Message);
            return otherwise;
        }
    }

    /// <summary>
    /// Stores an earlier output under a key of this request's own, so that neither request needs the other. Tried once: a store that may not copy, or
    /// does not answer, may still take a new output, and where it does not, that is waited for.
    /// </summary>
    /// <returns>Null where the output has gone, deleted with its request or lost, or was not copied.</returns>
    private async Task<RunOutcome.Completed?> TakeOverAsync(Message.Image message, EarlierOutput earlier, Validators? validators, TimeSpan fetchTook, CancellationToken cancellationToken)
    {
        StoredVariant[] variants = [.. StoredVariant.Read(earlier.Variants).Select(variant => variant with { ObjectKey = KeyOf(message, variant.Name, ExtensionOf(variant.ObjectKey)) })];
        var key = KeyOf(message, MainName, ExtensionOf(earlier.ObjectKey));
        var copies = earlier.Objects.Zip(variants.Select(variant => variant.ObjectKey).Prepend(key), (from, to) => (from.Key, to, from.Bytes));
        var (isThere, storeTook) = await StageAsync("store", () => CopyAllAsync([.. copies], cancellationToken));
        return !isThere ? null : new RunOutcome.Completed
        {
            RequestId = message.RequestId,
            Run = message.Run,
            ImageId = message.ImageId,
            ObjectKey = key,
            BytesIn = earlier.BytesIn,
            BytesOut = earlier.BytesOut,
            KeptOriginal = earlier.KeptOriginal,
            Width = earlier.Width,
            Height = earlier.Height,
            ContentHash = earlier.ContentHash,
            Variants = variants,
            FetchMs = (long)fetchTook.TotalMilliseconds,
            CompressMs = 0,
            StoreMs = (long)storeTook.TotalMilliseconds,
            Reused = true,
            SourceKey = earlier.SourceKey,
            Validators = validators,
        };
    }

    /// <returns>False where one of them was not copied; then none is kept.</returns>
    private async Task<bool> CopyAllAsync((string From, string To, long Bytes)[] copies, CancellationToken cancellationToken)
    {
        var copied = new List<string>();
        try
        {
            foreach (var (from, to, bytes) in copies)
            {
                if (!await OnceAsync(() => images.Store.CopyAsync(from, to, bytes, cancellationToken), false))
                {
                    return false;
                }

                copied.Add(to);
            }

            return true;
        }
        finally
        {
            if (copied.Count < copies.Length && !cancellationToken.IsCancellationRequested)
            {
                await RemoveAsync(copied);
            }
        }
    }

    private async Task<StoredVariant> StoreAsync(Message.Image message, string variant, CodecResult.Compressed output, CancellationToken cancellationToken)
    {
        var key = KeyOf(message, variant, FormatName.Extension(output.Format));
        await OutageBackoff.WaitOutAsync(
            async () =>
            {
                await images.Store.PutAsync(key, output.Body, FormatName.ContentType(output.Format), cancellationToken);
                return true;
            },
            time,
            logger,
            cancellationToken);
        return new StoredVariant
        {
            Name = variant,
            ObjectKey = key,
            Bytes = output.Body.Length,
            Width = output.WidthPixels,
            Height = output.HeightPixels,
            ContentHash = Convert.ToHexStringLower(SHA256.HashData(output.Body.Span)),
        };
    }

    private static string KeyOf(Message.Image message, string variant, string extension) => variant == MainName
        ? ObjectKey.ForImage(message.RequestId, message.Name, extension)
        : ObjectKey.ForVariant(message.RequestId, message.Name, variant, extension);

    private static string ExtensionOf(string key) => Path.GetExtension(key)[1..];

    /// <summary>Removes what no row will name. What cannot be removed now, the sweep takes later.</summary>
    private async Task RemoveAsync(IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            await OnceAsync(
                async () =>
                {
                    await images.Store.DeleteAsync(key, CancellationToken.None);
                    return true;
                },
                false);
        }
    }

    private async Task<bool> RecordAsync(RunOutcome outcome, CancellationToken cancellationToken)
    {
        var (changed, _) = await StageAsync("record", () => recorder.RecordAsync(outcome, cancellationToken));
        if (changed)
        {
            Count(outcome);
        }

        return changed;
    }

    /// <summary>One stage, timed and in a span of its own.</summary>
    private static async Task<(T Result, TimeSpan Took)> StageAsync<T>(string stage, Func<Task<T>> work)
    {
        using var span = Traces.Step(stage);
        var started = Stopwatch.GetTimestamp();
        var result = await work();
        var took = Stopwatch.GetElapsedTime(started);
        Instruments.Stage(stage, took);
        return (result, took);
    }

    private static void Count(RunOutcome outcome)
    {
        switch (outcome)
        {
            case RunOutcome.Completed completed:
                Instruments.ImageCompleted(FormatName.OfKey(completed.ObjectKey), completed.BytesIn, completed.BytesOut);
                break;
            case RunOutcome.Failed failed:
                Instruments.ImageNotCompleted("failed", failed.ErrorCode);
                break;
            case RunOutcome.Postponed postponed:
                Instruments.ImageNotCompleted("postponed", postponed.ErrorCode);
                break;
        }
    }

    private static void Describe(Activity? span, Message.Image message, RunOutcome outcome)
    {
        if (span is not { IsAllDataRequested: true })
        {
            return;
        }

        span.SetTag("halftone.request_id", message.RequestId);
        span.SetTag("halftone.image_id", message.ImageId);
        span.SetTag("halftone.attempt", message.Attempt + 1);
        // The host alone: paths and queries of URLs may hold what is not for the collector.
        span.SetTag("server.address", StrangersUrl.TryParse(message.Url, out var url) ? url.Host : null);
        switch (outcome)
        {
            case RunOutcome.Completed completed:
                span.SetTag("halftone.image.format", FormatName.OfKey(completed.ObjectKey));
                span.SetTag("halftone.image.input", completed.BytesIn);
                span.SetTag("halftone.image.output", completed.BytesOut);
                span.SetTag("halftone.image.reused", completed.Reused);
                break;
            case RunOutcome.Failed failed:
                Traces.Fail(failed.ErrorCode);
                break;
            case RunOutcome.Postponed postponed:
                Traces.Fail(postponed.ErrorCode);
                break;
        }
    }

    private RunOutcome NotFetched(Message.Image message, FetchResult.Failed failed)
    {
        Log.NotFetched(logger, message.ImageId, failed.Error, failed.HttpStatus, message.Attempt, failed.Detail);
        var pause = failed.Retryable ? RetrySchedule.NextDelay(fetchOptions.Value.RetryDelays, message.Attempt + 1, failed.RetryAfter, Random.Shared.NextDouble()) : null;
        return pause is null
            ? Failed(message, ErrorCode.Of(failed.Error), failed.HttpStatus)
            : new RunOutcome.Postponed
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

    private static RunOutcome.Failed Failed(Message.Image message, string errorCode, int? httpStatus) => new()
    {
        RequestId = message.RequestId,
        Run = message.Run,
        ImageId = message.ImageId,
        ErrorCode = errorCode,
        HttpStatus = httpStatus,
        Host = StrangersUrl.TryParse(message.Url, out var url) ? url.Host : "",
    };

    /// <summary>The row names our own object where the commit went through and only its answer was lost.</summary>
    private async Task RemoveUnlessNamedAsync(RunOutcome.Completed unused, CancellationToken cancellationToken)
    {
        var named = await database.ReadAsync(connection => connection.ExecuteScalarAsync<string?>(Sql.ObjectKeyOf, new { unused.ImageId }), cancellationToken);
        if (named != unused.ObjectKey)
        {
            await RemoveAsync(unused.Variants.Select(variant => variant.ObjectKey).Prepend(unused.ObjectKey));
        }
    }

    /// <summary>What was made and stored of one source.</summary>
    private sealed class MadeOutputs
    {
        /// <summary>The main one first.</summary>
        public List<StoredVariant> All { get; } = [];

        public StoredVariant Main => All[0];

        public IReadOnlyList<StoredVariant> Variants => All[1..];

        /// <summary>Of the main one.</summary>
        public bool KeptOriginal { get; private set; }

        public TimeSpan CompressTook { get; private set; }

        public TimeSpan StoreTook { get; private set; }

        public void Add(StoredVariant stored, bool keptOriginal, TimeSpan compressTook, TimeSpan storeTook)
        {
            KeptOriginal = All.Count == 0 ? keptOriginal : KeptOriginal;
            All.Add(stored);
            CompressTook += compressTook;
            StoreTook += storeTook;
        }
    }

    private static class Sql
    {
        public const string RenewLease = """
            UPDATE image SET next_attempt_at = @Lease WHERE image_id = @ImageId AND state = 'pending' AND attempt = @Attempt AND next_attempt_at < @Lease
            """;

        public const string ObjectKeyOf = "SELECT object_key FROM image WHERE image_id = @ImageId";
    }

    private static partial class Log
    {
        [LoggerMessage(901, LogLevel.Information, "Image {ImageId} was not fetched: {Error} (HTTP {HttpStatus}) at attempt {Attempt}; {Detail}")]
        public static partial void NotFetched(ILogger logger, long imageId, FetchError error, int? httpStatus, int attempt, string detail);

        [LoggerMessage(902, LogLevel.Information, "Image {ImageId} was not compressed (variant \"{Variant}\"): {Error}; {Detail}")]
        public static partial void NotCompressed(ILogger logger, long imageId, string variant, CodecError error, string detail);

        [LoggerMessage(903, LogLevel.Error, "Image {ImageId} of request {RequestId} was handed out until the delivery limit")]
        public static partial void DeadLetter(ILogger logger, long imageId, Guid requestId);

        [LoggerMessage(904, LogLevel.Warning, "An output of image {ImageId} was refused by the store: {Reason}")]
        public static partial void NotStored(ILogger logger, long imageId, string reason);
    }
}
