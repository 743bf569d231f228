using Halftone.Model;
using Halftone.Store;

namespace Halftone.Requests;

/// <summary>A stored output of the same owner with the same options. Its file may have been removed since the row was read.</summary>
internal sealed record EarlierOutput : StoredOutput
{
    public required long BytesIn { get; init; }
    public required bool KeptOriginal { get; init; }
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required string ContentHash { get; init; }
    public string? SourceKey { get; init; }

    public string? ETag { get; init; }

    /// <summary>UTC milliseconds.</summary>
    public long? LastModified { get; init; }

    public string? SourceUrl { get; init; }

    /// <summary>The validators of the source, to ask its origin whether it has changed; null if there are none that can be used.</summary>
    public Validators? Validators => ETag is null && LastModified is null
        ? null
        : new Validators(ETag, LastModified is { } milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null, SourceUrl);
}
