using Halftone.Codec;

namespace Halftone.Model;

/// <summary>Names of an image format: in the API, as a file extension, as a media type (IANA).</summary>
internal static class FormatName
{
    /// <summary>Values of an upload's <c>format</c>, besides none.</summary>
    public static IReadOnlyList<string> Known { get; } = ["jpeg", "png", "webp", "gif", "avif"];

    /// <summary>The format with a name in <see cref="Known"/>; null for null.</summary>
    public static ImageFormat? Parse(string? name) => name is null ? null : Enum.Parse<ImageFormat>(name, ignoreCase: true);

    public static string Extension(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "jpg",
        _ => format.ToString().ToLowerInvariant(),
    };

    public static string ContentType(ImageFormat format) => "image/" + format.ToString().ToLowerInvariant();

    /// <summary>The format of one of our own keys, as a name in <see cref="Known"/>.</summary>
    public static string OfKey(string key) => ContentTypeOf(key)["image/".Length..];

    /// <summary>The media type of one of our own keys, by its extension, which was chosen from the bytes.</summary>
    public static string ContentTypeOf(string key) => Path.GetExtension(key) switch
    {
        ".jpg" => "image/jpeg",
        ".png" => "image/png",
        ".webp" => "image/webp",
        ".gif" => "image/gif",
        ".avif" => "image/avif",
        _ => "application/octet-stream",
    };
}
