using Halftone.Io;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Store;
using Halftone.Telemetry;

namespace Halftone.Pipeline;

/// <summary>
/// Reuses the outputs of an earlier request: copies them to keys of this request's own, so that neither request depends
/// on the other. Tries once: a store that cannot copy, or does not answer, may still accept a new output, and a new
/// output is worth waiting for.
/// </summary>
internal sealed class TakeOver(IImageStore images, UnusedOutputs unused, ILogger<TakeOver> logger)
{
    /// <returns>Null if an earlier output is gone or was not copied: nothing is kept, and the image must be processed.</returns>
    public async Task<ImageOutputs?> TryAsync(Message.Image message, EarlierOutput earlier, CancellationToken cancellationToken)
    {
        var key = NewKeyLike(earlier.ObjectKey, null);
        var main = new OutputFile(key, earlier.BytesOut, earlier.Width, earlier.Height, earlier.ContentHash);
        StoredVariant[] variants =
        [
            .. StoredVariant.Read(earlier.Variants)
                .Select(variant => variant with { ObjectKey = NewKeyLike(variant.ObjectKey, variant.Name) }),
        ];
        var newKeys = variants.Select(variant => variant.ObjectKey).Prepend(main.ObjectKey);
        Copy[] copies = [.. earlier.Objects.Zip(newKeys, (from, to) => new Copy(from.Key, to, from.Bytes))];
        var (areCopied, took) = await Stage.RunAsync("store", () => CopyAllAsync(copies, cancellationToken));
        return !areCopied ? null : new ImageOutputs
        {
            Main = main,
            Variants = variants,
            KeptOriginal = earlier.KeptOriginal,
            Reused = true,
            CompressTook = TimeSpan.Zero,
            StoreTook = took,
        };

        string NewKeyLike(string key, string? variant) => ImageOutputs.NewKey(message, variant, Path.GetExtension(key)[1..]);
    }

    /// <returns>False if one of them was not copied; then none is kept.</returns>
    private async Task<bool> CopyAllAsync(Copy[] copies, CancellationToken cancellationToken)
    {
        var copied = new List<string>();
        try
        {
            foreach (var (from, to, bytes) in copies)
            {
                var isCopied = await OutageBackoff.TryOnceAsync(
                    () => images.CopyAsync(from, to, bytes, cancellationToken), otherwise: false, logger);
                if (!isCopied)
                {
                    return false;
                }

                copied.Add(to);
            }

            return true;
        }
        finally
        {
            // A stop does not wait for the store: the sweep removes leftovers.
            if (copied.Count < copies.Length && !cancellationToken.IsCancellationRequested)
            {
                await unused.RemoveAsync(copied);
            }
        }
    }

    private readonly record struct Copy(string From, string To, long Bytes);
}
