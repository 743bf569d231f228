using System.Buffers;
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
    private static readonly SearchValues<char> AfterName = SearchValues.Create(" \t\r\n/>");

    /// <summary>An SVG may begin with a licence and a hundred entities.</summary>
    private const int LooksAt = 512, LooksAtMarkup = 64 << 10;

    public static Sniffed Sniff(ReadOnlySpan<byte> source)
    {
        var isMarkup = source[..Math.Min(source.Length, LooksAt)].IndexOf((byte)'<') is >= 0 and < 16
            || source.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])
            || source.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]);
        var head = source[..Math.Min(source.Length, isMarkup ? LooksAtMarkup : LooksAt)];
        return Served(head) is { } format
            ? new(format, default, format.ToString())
            : OtherImage(head) is { } image
                ? new(null, CodecError.UnsupportedFormat, image)
                : new(null, CodecError.NotAnImage, Other(head));
    }

    private static ImageFormat? Served(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat.Jpeg,
        // Apple's own kind of PNG has this chunk first; no decoder but Apple's reads it.
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] =>
            head[8..] is [_, _, _, _, (byte)'C', (byte)'g', (byte)'B', (byte)'I', ..] ? null : ImageFormat.Png,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => ImageFormat.Webp,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => ImageFormat.Gif,
        // Canon's raw files say so behind a TIFF header.
        [(byte)'I', (byte)'I', 42, 0, _, _, _, _, (byte)'C', (byte)'R', 2, ..] => null,
        // 42 is TIFF, 43 is BigTIFF, in the byte order that the first two letters name
        [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => ImageFormat.Tiff,
        [(byte)'B', (byte)'M', _, _, _, _, _, _, _, _, _, _, _, _, 12 or 16 or 40 or 52 or 56 or 64 or 108 or 124, 0, 0, 0, ..] =>
            ImageFormat.Bmp,
        [0, 0, 1 or 2, 0, not 0, 0, _, _, _, 0, ..] or [0, 0, 1 or 2, 0, _, 1, _, _, _, 0, ..] => ImageFormat.Ico,
        _ => HasBrand(head, "avif"u8) || HasBrand(head, "avis"u8) ? ImageFormat.Avif : null,
    };

    private static string? OtherImage(ReadOnlySpan<byte> head) => CameraRaw(head) ?? head switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "a PNG in Apple's own form (CgBI)",
        [0x8A, (byte)'M', (byte)'N', (byte)'G', ..] => "an MNG animation",
        [0x8B, (byte)'J', (byte)'N', (byte)'G', ..] => "a JNG image",
        [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => "a Photoshop document",
        [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => "a BMP image of an unknown kind",
        [0xFF, 0x0A, ..] or [0, 0, 0, 0x0C, (byte)'J', (byte)'X', (byte)'L', (byte)' ', ..] => "a JPEG XL image",
        [0, 0, 0, 0x0C, (byte)'j', (byte)'P', (byte)' ', (byte)' ', ..] or [0xFF, 0x4F, 0xFF, 0x51, ..] => "a JPEG 2000 image",
        [(byte)'I', (byte)'I', 0xBC, ..] => "a JPEG XR image",
        [0x76, 0x2F, 0x31, 0x01, ..] => "an OpenEXR image",
        [0x97, (byte)'J', (byte)'B', (byte)'2', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "a JBIG2 image",
        [0xC5, 0xD0, 0xD3, 0xC6, ..] => "a PostScript document",
        [0xD7, 0xCD, 0xC6, 0x9A, ..] => "a Windows metafile",
        [1, 0, 0, 0, ..] when head.Length >= 44 && head[40..].StartsWith(" EMF"u8) => "a Windows metafile",
        [0x0A, 0 or 2 or 3 or 4 or 5, 1, 1 or 2 or 4 or 8, ..] => "a PCX image",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'A', (byte)'C', (byte)'O', (byte)'N', ..] => "an animated cursor",
        [(byte)'F', (byte)'O', (byte)'R', (byte)'M', _, _, _, _, (byte)'I', (byte)'L', (byte)'B', (byte)'M', ..] => "an ILBM image",
        [(byte)'P', >= (byte)'1' and <= (byte)'7', (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t', ..] => "a Netpbm image",
        _ when head.StartsWith("qoif"u8) => "a QOI image",
        _ when head.StartsWith("%PDF-"u8) => "a PDF document",
        _ when head.StartsWith("%!PS"u8) => "a PostScript document",
        _ when head.StartsWith("#?RADIANCE"u8) || head.StartsWith("#?RGBE"u8) => "a Radiance image",
        _ when head.StartsWith("gimp xcf "u8) => "a GIMP document",
        _ when head.StartsWith("DDS "u8) => "a DDS texture",
        _ when head.StartsWith("FLIF"u8) => "a FLIF image",
        [(byte)'B', (byte)'P', (byte)'G', 0xFB, ..] => "a BPG image",
        _ when head.StartsWith("icns"u8) => "an Apple icon",
        _ when head.StartsWith("AT&TFORM"u8) => "a DjVu document",
        _ when head.StartsWith("SIMPLE  ="u8) => "a FITS image",
        _ when head.StartsWith("/* XPM */"u8) => "an XPM image",
        _ when head.Length >= 132 && head[128..].StartsWith("DICM"u8) => "a DICOM image",
        _ when HasBrandOf(head, "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs") => "a HEIC image",
        _ when HasBrandOf(head, "j2ki", "jpeg", "avci", "vvic", "mif1", "mif2", "msf1", "miaf") => "a HEIF image",
        _ when MarkupRoot(head) == "svg" => "an SVG drawing",
        _ => null,
    };

    /// <summary>
    /// Sensor data of a camera, by its maker's own signature. Those that are TIFF files otherwise are told by their directories
    /// (<see cref="TiffPages"/>).
    /// </summary>
    private static string? CameraRaw(ReadOnlySpan<byte> head) => head switch
    {
        [(byte)'I', (byte)'I', 42, 0, _, _, _, _, (byte)'C', (byte)'R', 2, ..] => "a camera raw file (Canon CR2)",
        [(byte)'I', (byte)'I', 0x55, 0, ..] => "a camera raw file (Panasonic RW2)",
        [(byte)'I', (byte)'I', (byte)'R', (byte)'O' or (byte)'S', ..] or [(byte)'M', (byte)'M', (byte)'O', (byte)'R', ..] =>
            "a camera raw file (Olympus ORF)",
        [0, (byte)'M', (byte)'R', (byte)'M', ..] => "a camera raw file (Minolta MRW)",
        [(byte)'I', (byte)'I', _, _, _, _, (byte)'H', (byte)'E', (byte)'A', (byte)'P', (byte)'C', (byte)'C', (byte)'D', (byte)'R', ..] =>
            "a camera raw file (Canon CRW)",
        _ when HasBrand(head, "crx "u8) => "a camera raw file (Canon CR3)",
        _ when head.StartsWith("FUJIFILMCCD-RAW"u8) => "a camera raw file (Fujifilm RAF)",
        _ when head.StartsWith("FOVb"u8) => "a camera raw file (Sigma X3F)",
        _ when head.StartsWith("IIII"u8) || head.StartsWith("MMMM"u8) => "a camera raw file (Phase One IIQ)",
        _ when head.StartsWith("ARRI"u8) => "a camera raw file (ARRI)",
        _ => null,
    };

    private static string Other(ReadOnlySpan<byte> head) => head switch
    {
        [] => "an empty file",
        [(byte)'P', (byte)'K', 3, 4, ..] => "a ZIP archive or an office document",
        [0x1F, 0x8B, ..] => "a gzip file",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "a video",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "a video",
        _ when Opens(head, "<!doctype html") || MarkupRoot(head) is "html" or "head" or "body" || Holds(head, "<html") => "an HTML page",
        _ when Opens(head, "<") => "an XML document",
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
    private static bool Opens(ReadOnlySpan<byte> head, string start) =>
        Readable(head).TrimStart().StartsWith(start, StringComparison.OrdinalIgnoreCase);

    private static bool Holds(ReadOnlySpan<byte> head, string part) => Readable(head).Contains(part, StringComparison.OrdinalIgnoreCase);

    private static bool HasBrandOf(ReadOnlySpan<byte> head, params ReadOnlySpan<string> brands)
    {
        foreach (var brand in brands)
        {
            if (HasBrand(head, Encoding.Latin1.GetBytes(brand)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Name of the root element without its prefix, in lower case, behind declarations, comments and a document type with entities;
    /// empty where the text is no markup or no element begins in what is looked at.
    /// </summary>
    private static string MarkupRoot(ReadOnlySpan<byte> head)
    {
        var rest = Readable(head).AsSpan().TrimStart();
        while (rest is ['<', ..])
        {
            var end = rest switch
            {
                ['<', '!', '-', '-', ..] => After(rest, "-->"),
                ['<', '?', ..] => After(rest, "?>"),
                ['<', '!', ..] =>
                    rest.IndexOf('>') is var close && rest.IndexOf('[') is >= 0 and var open && open < close
                        ? AfterSubset(rest, open)
                        : close + 1,
                _ => 0,
            };
            if (end == 0)
            {
                var name = rest[1..];
                var length = name.IndexOfAny(AfterName);
                name = length < 0 ? default : name[..length];
                return name[(name.IndexOf(':') + 1)..].ToString().ToLowerInvariant();
            }

            if (end < 0)
            {
                break;
            }

            rest = rest[end..].TrimStart();
        }

        return "";

        static int After(ReadOnlySpan<char> text, string mark) =>
            text.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var at ? at + mark.Length : -1;

        static int AfterSubset(ReadOnlySpan<char> text, int open)
        {
            var close = text[open..].IndexOf(']');
            var end = close < 0 ? -1 : text[(open + close)..].IndexOf('>');
            return end < 0 ? -1 : open + close + end + 1;
        }
    }

    private static string Readable(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(head[2..]),
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(head[2..]),
        [0xEF, 0xBB, 0xBF, ..] => Encoding.Latin1.GetString(head[3..]),
        _ => Encoding.Latin1.GetString(head),
    };

    private static bool IsText(ReadOnlySpan<byte> head) => head.IndexOfAnyInRange((byte)0, (byte)8) < 0;
}
