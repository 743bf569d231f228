using System.Text.Json;
using System.Text.Json.Serialization;

namespace Halftone.Model;

/// <summary>A stored variant of an image, as recorded in <c>image.variants</c>: a JSON array in the order of the request.</summary>
internal sealed record StoredVariant
{
    public required string Name { get; init; }

    public required string ObjectKey { get; init; }

    public required long Bytes { get; init; }

    /// <summary>Pixels, after EXIF rotation.</summary>
    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>SHA-256, hexadecimal.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Empty for null.</summary>
    public static IReadOnlyList<StoredVariant> Read(string? json) =>
        json is null ? [] : JsonSerializer.Deserialize(json, StoredVariantJson.Default.StoredVariantArray)!;

    /// <summary>Null if there are none.</summary>
    public static string? ToJson(IReadOnlyCollection<StoredVariant> variants) =>
        variants.Count == 0 ? null : JsonSerializer.Serialize([.. variants], StoredVariantJson.Default.StoredVariantArray);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredVariant[]))]
internal sealed partial class StoredVariantJson : JsonSerializerContext;
