using System.Buffers.Binary;
using System.Text;

namespace Halftone.Codec;

/// <summary>What bytes are, by their beginning and not by a name or Content-Type.</summary>
/// <param name="Format">The format where it is served, else null.</param>
/// <param name="Error">Where it is not: whether it is an image at all.</param>
/// <param name="Description">In words with their article, for customers: "an HTML page".</param>
internal readonly record struct Sniffed(ImageFormat? Format, CodecError Error, string Description);

/// <summary>Tells formats by their signatures.</summary>
internal static class SourceSniffer
{
    private const int LooksAt = 512;

    public static Sniffed Sniff(ReadOnlySpan<byte> source)
    {
        var head = source[..Math.Min(source.Length, LooksAt)];
        return Served(head) is { } format
            ? new(format, default, format.ToString())
            : OtherImage(head) is { } image
                ? new(null, CodecError.UnsupportedFormat, image)
                : new(null, CodecError.NotAnImage, Other(head));
    }

    private static ImageFormat? Served(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat.Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => ImageFormat.Png,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => ImageFormat.Webp,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => ImageFormat.Gif,
        // 42 is TIFF, 43 is BigTIFF, in the byte order that the first two letters name
        [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => ImageFormat.Tiff,
        // libvips would take one picture of a sequence (brand avis) and lose the rest
        _ => HasBrand(head, "avif"u8) && !HasBrand(head, "avis"u8) ? ImageFormat.Avif : null,
    };

    private static string? OtherImage(ReadOnlySpan<byte> head) => head switch
    {
        [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => "a Photoshop document",
        [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => "a BMP image",
        [0, 0, 1 or 2, 0, not 0, 0, ..] => "an icon or cursor",
        [0xFF, 0x0A, ..] or [0, 0, 0, 0x0C, (byte)'J', (byte)'X', (byte)'L', (byte)' ', ..] => "a JPEG XL image",
        [0, 0, 0, 0x0C, (byte)'j', (byte)'P', (byte)' ', (byte)' ', ..] or [0xFF, 0x4F, 0xFF, 0x51, ..] => "a JPEG 2000 image",
        [0x76, 0x2F, 0x31, 0x01, ..] => "an OpenEXR image",
        [(byte)'q', (byte)'o', (byte)'i', (byte)'f', ..] => "a QOI image",
        [(byte)'%', (byte)'P', (byte)'D', (byte)'F', (byte)'-', ..] => "a PDF document",
        [(byte)'%', (byte)'!', (byte)'P', (byte)'S', ..] => "a PostScript document",
        _ when head.StartsWith("#?RADIANCE"u8) || head.StartsWith("#?RGBE"u8) => "a Radiance image",
        _ when HasBrand(head, "avis"u8) => "an animated AVIF image",
        _ when HasBrand(head, "heic"u8) || HasBrand(head, "heix"u8) || HasBrand(head, "mif1"u8) || HasBrand(head, "hevc"u8) => "a HEIC image",
        _ when Opens(head, "<svg") || (Opens(head, "<?xml") || Opens(head, "<!--")) && Holds(head, "<svg") => "an SVG drawing",
        _ => null,
    };

    private static string Other(ReadOnlySpan<byte> head) => head switch
    {
        [] => "an empty file",
        [(byte)'P', (byte)'K', 3, 4, ..] => "a ZIP archive or an office document",
        [0x1F, 0x8B, ..] => "a gzip file",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "a video",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "a video",
        _ when Opens(head, "<!doctype html") || Opens(head, "<html") || Opens(head, "<head") || Opens(head, "<body") || Holds(head, "<html") => "an HTML page",
        _ when Opens(head, "<?xml") || Opens(head, "<") => "an XML document",
        _ when Opens(head, "{") || Opens(head, "[") => "a JSON document",
        _ when IsText(head) => "text",
        _ => "bytes of no known image format",
    };

    /// <summary>Whether an ISO media file (ISO/IEC 14496-12) names the brand, as its own or as compatible.</summary>
    private static bool HasBrand(ReadOnlySpan<byte> head, ReadOnlySpan<byte> brand)
    {
        if (head.Length < 16 || !head[4..].StartsWith("ftyp"u8))
        {
            return false;
        }
        var end = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(head), (uint)head.Length);
        for (var at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) // the minor version stands after the first brand
        {
            if (head.Slice(at, 4).SequenceEqual(brand))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether text begins so, after a byte order mark and white space.</summary>
    private static bool Opens(ReadOnlySpan<byte> head, string start) => Readable(head).TrimStart().StartsWith(start, StringComparison.OrdinalIgnoreCase);

    private static bool Holds(ReadOnlySpan<byte> head, string part) => Readable(head).Contains(part, StringComparison.OrdinalIgnoreCase);

    private static string Readable(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(head[2..]),
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(head[2..]),
        [0xEF, 0xBB, 0xBF, ..] => Encoding.Latin1.GetString(head[3..]),
        _ => Encoding.Latin1.GetString(head),
    };

    private static bool IsText(ReadOnlySpan<byte> head) => head.IndexOfAnyInRange((byte)0, (byte)8) < 0;
}
