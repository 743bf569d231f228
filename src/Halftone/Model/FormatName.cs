using Halftone.Codec;

namespace Halftone.Model;

/// <summary>The words for an image format: the API's, the file extension, the media type (IANA).</summary>
internal static class FormatName
{
    /// <summary>What an upload's <c>format</c> may say, besides nothing at all.</summary>
    public static IReadOnlyList<string> Known { get; } = ["jpeg", "png", "webp", "gif", "avif"];

    /// <summary>The format of a name in <see cref="Known"/>; null for null.</summary>
    public static ImageFormat? Parse(string? name) => name is null ? null : Enum.Parse<ImageFormat>(name, ignoreCase: true);

    public static string Extension(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "jpg",
        _ => format.ToString().ToLowerInvariant(),
    };

    public static string ContentType(ImageFormat format) => "image/" + format.ToString().ToLowerInvariant();

    /// <summary>The format of one of our own keys, in the words of <see cref="Known"/>.</summary>
    public static string OfKey(string key) => ContentTypeOf(key)["image/".Length..];

    /// <summary>The media type of one of our own keys, by its extension, which followed the bytes.</summary>
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
