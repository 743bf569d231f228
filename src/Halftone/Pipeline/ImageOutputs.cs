using Halftone.Model;

namespace Halftone.Pipeline;

/// <summary>One stored output.</summary>
/// <param name="ObjectKey">Its key in the image store.</param>
/// <param name="Bytes">Its length in bytes.</param>
/// <param name="Width">Pixels, after EXIF rotation.</param>
/// <param name="Height">Pixels, after EXIF rotation.</param>
/// <param name="ContentHash">SHA-256, hexadecimal.</param>
internal sealed record OutputFile(string ObjectKey, long Bytes, int Width, int Height, string ContentHash)
{
    public StoredVariant AsVariant(string name) => new()
    {
        Name = name,
        ObjectKey = ObjectKey,
        Bytes = Bytes,
        Width = Width,
        Height = Height,
        ContentHash = ContentHash,
    };
}

/// <summary>All outputs of one image, stored under keys of this run.</summary>
internal sealed record ImageOutputs
{
    public required OutputFile Main { get; init; }

    /// <summary>In the order of the upload.</summary>
    public required IReadOnlyList<StoredVariant> Variants { get; init; }

    /// <summary>True if the main output is the unchanged source, because compressing did not make it smaller.</summary>
    public required bool KeptOriginal { get; init; }

    /// <summary>True if the outputs are copies of an earlier request's.</summary>
    public required bool Reused { get; init; }

    /// <summary>All outputs together; zero if they were copied.</summary>
    public required TimeSpan CompressTook { get; init; }

    /// <summary>All outputs together.</summary>
    public required TimeSpan StoreTook { get; init; }

    /// <summary>A fresh key for an output of the image.</summary>
    /// <param name="message">The image.</param>
    /// <param name="variant">The variant's name; null for the main output.</param>
    /// <param name="extension">Without the dot.</param>
    public static string NewKey(Message.Image message, string? variant, string extension) => variant is null
        ? ObjectKey.ForImage(message.RequestId, message.Name, extension)
        : ObjectKey.ForVariant(message.RequestId, message.Name, variant, extension);
}
