using System.Text.Json;
using System.Text.Json.Serialization;

namespace Halftone.Model;

/// <summary>A stored variant of an image, as the row of the image names it in <c>image.variants</c>: a JSON array in the order of the request's.</summary>
internal sealed record StoredVariant
{
    public required string Name { get; init; }

    public required string ObjectKey { get; init; }

    public required long Bytes { get; init; }

    /// <summary>Pixels, as shown.</summary>
    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>SHA-256, hexadecimal.</summary>
    public required string ContentHash { get; init; }

    /// <summary>None for null.</summary>
    public static IReadOnlyList<StoredVariant> Read(string? json) => json is null ? [] : JsonSerializer.Deserialize(json, StoredVariantJson.Default.StoredVariantArray)!;

    /// <summary>Null for none.</summary>
    public static string? ToJson(IReadOnlyCollection<StoredVariant> variants) => variants.Count == 0 ? null : JsonSerializer.Serialize([.. variants], StoredVariantJson.Default.StoredVariantArray);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredVariant[]))]
internal sealed partial class StoredVariantJson : JsonSerializerContext;
