using Halftone.Model;

namespace Halftone.Store;

/// <summary>All stored objects of an image, as recorded in its row.</summary>
internal record StoredOutput
{
    public required string ObjectKey { get; init; }

    public required long BytesOut { get; init; }

    /// <summary><c>image.variants</c>; null: none.</summary>
    public string? Variants { get; init; }

    /// <summary>Its objects, the main one first, each with its length in bytes.</summary>
    public IEnumerable<(string Key, long Bytes)> Objects =>
        StoredVariant.Read(Variants).Select(variant => (variant.ObjectKey, variant.Bytes)).Prepend((ObjectKey, BytesOut));

    /// <summary>True if all objects exist with the recorded length.</summary>
    public async Task<bool> IsWholeAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        foreach (var (key, bytes) in Objects)
        {
            if (await store.LengthAsync(key, cancellationToken) != bytes)
            {
                return false;
            }
        }

        return true;
    }
}
