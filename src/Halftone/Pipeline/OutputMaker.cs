using System.Security.Cryptography;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Database;
using Halftone.Io;
using Halftone.Model;
using Halftone.Queue;
using Halftone.Requests;
using Halftone.Store;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Pipeline;

/// <summary>The result of making the outputs of one image.</summary>
internal abstract record MakeResult
{
    private MakeResult() { }

    /// <summary>All outputs are stored.</summary>
    public sealed record Made(ImageOutputs Outputs) : MakeResult;

    /// <summary>The codec or the store refused one of them, so none is kept. A retry would not help.</summary>
    /// <param name="ErrorCode">A code of <see cref="Model.ErrorCode"/>.</param>
    public sealed record Refused(string ErrorCode) : MakeResult;

    /// <summary>The request was cancelled or deleted in the meantime, or another run was faster; none is kept.</summary>
    public sealed record NotWanted : MakeResult;
}

/// <summary>Compresses a source into each requested output and stores them, holding one output in memory at a time.</summary>
internal sealed partial class OutputMaker(
    HalftoneDatabase database,
    EarlierOutputs earlierOutputs,
    CodecPool codec,
    IImageStore images,
    UnusedOutputs unused,
    IOptions<QueueOptions> queueOptions,
    TimeProvider time,
    ILogger<OutputMaker> logger)
{
    public async Task<MakeResult> MakeAsync(Message.Image message, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        var wanted = message.Outputs.Wanted();
        var made = new List<MadeOutput>(wanted.Count);
        try
        {
            foreach (var output in wanted)
            {
                // Checked before each further output, because many outputs take long.
                if (made.Count > 0 && !await IsStillWantedAsync(message, cancellationToken))
                {
                    return new MakeResult.NotWanted();
                }

                var (compressed, compressTook) = await Stage.RunAsync("compress", () => CompressAsync(source, output, cancellationToken));
                if (compressed is CodecResult.Refused refused)
                {
                    Log.NotCompressed(logger, message.ImageId, output.Description, refused.Error, refused.Detail);
                    return new MakeResult.Refused(ErrorCode.Of(refused.Error));
                }

                var body = (CodecResult.Compressed)compressed;
                var (file, storeTook) = await Stage.RunAsync("store", () => StoreAsync(message, output, body, cancellationToken));
                made.Add(new MadeOutput(output.Variant, file, body.KeptOriginal, compressTook, storeTook));
            }

            return new MakeResult.Made(OutputsOf(made));
        }
        catch (StoreRefusedException refused)
        {
            Log.NotStored(logger, message.ImageId, refused.Message);
            return new MakeResult.Refused(ErrorCode.StoreRefused);
        }
        finally
        {
            // A stop does not wait for the store: the sweep removes leftovers.
            if (made.Count < wanted.Count && !cancellationToken.IsCancellationRequested)
            {
                await unused.RemoveAsync(made.Select(output => output.File.ObjectKey));
            }
        }
    }

    /// <summary>
    /// False if the request was cancelled or deleted in the meantime. Renews the lease of a retried image, so that the
    /// sweep does not hand it out again during this run.
    /// </summary>
    private Task<bool> IsStillWantedAsync(Message.Image message, CancellationToken cancellationToken) => OutageBackoff.WaitOutAsync(
        async () =>
        {
            if (message.Attempt > 0)
            {
                var lease = (time.GetUtcNow() + queueOptions.Value.Lease).ToUnixTimeMilliseconds();
                var parameters = new { message.ImageId, message.Attempt, Lease = lease };
                await database.WriteAsync(transaction => transaction.ExecuteAsync(Sql.RenewLease, parameters), cancellationToken);
            }

            return await earlierOutputs.IsOpenAsync(message, cancellationToken);
        },
        time,
        logger,
        cancellationToken);

    private Task<CodecResult> CompressAsync(ReadOnlyMemory<byte> source, WantedOutput output, CancellationToken cancellationToken) =>
        OutageBackoff.WaitOutAsync(() => codec.CompressAsync(source, output.Request, cancellationToken), time, logger, cancellationToken);

    /// <exception cref="StoreRefusedException">The store will never accept it.</exception>
    private async Task<OutputFile> StoreAsync(
        Message.Image message, WantedOutput output, CodecResult.Compressed compressed, CancellationToken cancellationToken)
    {
        var key = ImageOutputs.NewKey(message, output.Variant, FormatName.Extension(compressed.Format));
        await OutageBackoff.WaitOutAsync(
            async () =>
            {
                await images.PutAsync(key, compressed.Body, FormatName.ContentType(compressed.Format), cancellationToken);
                return true;
            },
            time,
            logger,
            cancellationToken);
        var hash = Convert.ToHexStringLower(SHA256.HashData(compressed.Body.Span));
        return new OutputFile(key, compressed.Body.Length, compressed.WidthPixels, compressed.HeightPixels, hash);
    }

    private static ImageOutputs OutputsOf(List<MadeOutput> made) => new()
    {
        Main = made[0].File,
        Variants = [.. made.Skip(1).Select(output => output.File.AsVariant(output.Variant!))],
        KeptOriginal = made[0].KeptOriginal,
        Reused = false,
        CompressTook = made.Aggregate(TimeSpan.Zero, (sum, output) => sum + output.CompressTook),
        StoreTook = made.Aggregate(TimeSpan.Zero, (sum, output) => sum + output.StoreTook),
    };

    /// <summary>An output that is stored while the others are made.</summary>
    private sealed record MadeOutput(string? Variant, OutputFile File, bool KeptOriginal, TimeSpan CompressTook, TimeSpan StoreTook);

    private static class Sql
    {
        public const string RenewLease = """
            UPDATE image
            SET    next_attempt_at = @Lease
            WHERE  image_id = @ImageId AND state = 'pending' AND attempt = @Attempt AND next_attempt_at < @Lease
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(902, LogLevel.Information, "Image {ImageId} could not be compressed ({Output}): {Error}; {Detail}")]
        public static partial void NotCompressed(ILogger logger, long imageId, string output, CodecError error, string detail);

        [LoggerMessage(904, LogLevel.Warning, "The store refused an output of image {ImageId}: {Reason}")]
        public static partial void NotStored(ILogger logger, long imageId, string reason);
    }
}
