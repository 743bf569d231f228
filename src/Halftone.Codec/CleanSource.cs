using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>
/// Whether a source may be passed on as it is: nothing in it but the picture and its colours, and nothing after it.
/// Metadata may tell where and by whom a photograph was taken, and bytes after the end may be anything at all.
/// </summary>
internal static class CleanSource
{
    /// <param name="source">A file that has been decoded whole, so its structure is sound; a doubt is answered with no.</param>
    public static bool Is(ReadOnlySpan<byte> source, ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => IsCleanJpeg(source),
        ImageFormat.Png => IsCleanPng(source),
        ImageFormat.Webp => IsCleanWebp(source),
        ImageFormat.Gif => IsCleanGif(source),
        ImageFormat.Avif => IsCleanAvif(source),
        _ => false, // TIFF never stays TIFF
    };

    /// <summary>Only JFIF without a thumbnail, ICC and Adobe's colour marker among the application segments (ITU-T T.81, annex B).</summary>
    private static bool IsCleanJpeg(ReadOnlySpan<byte> source)
    {
        var at = 2;
        while (at + 4 <= source.Length)
        {
            if (source[at] != 0xFF)
            {
                return false;
            }
            var marker = source[at + 1];
            if (marker == 0xD9)
            {
                return at + 2 == source.Length;
            }
            if (marker == 0xFF)
            {
                at++; // fill byte
                continue;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(source[(at + 2)..]);
            if (length < 2 || at + 2 + length > source.Length)
            {
                return false;
            }
            var body = source.Slice(at + 4, length - 2);
            var allowed = marker switch
            {
                0xE0 => body.StartsWith("JFIF\0"u8) && body.Length == 14,
                0xE2 => body.StartsWith("ICC_PROFILE\0"u8),
                0xEE => body.StartsWith("Adobe"u8) && body.Length == 12,
                _ => marker is not ((>= 0xE0 and <= 0xEF) or 0xFE),
            };
            if (!allowed)
            {
                return false;
            }
            at += 2 + length;
            if (marker == 0xDA)
            {
                at = AfterScan(source, at);
            }
        }
        // The end marker itself is two bytes, less than the loop reads.
        return at + 2 == source.Length && source[at] == 0xFF && source[at + 1] == 0xD9;
    }

    /// <summary>The next marker that is neither a stuffed 0xFF nor a restart.</summary>
    private static int AfterScan(ReadOnlySpan<byte> source, int at)
    {
        while (at + 1 < source.Length)
        {
            var next = source[at..].IndexOf((byte)0xFF);
            if (next < 0 || at + next + 1 >= source.Length)
            {
                return source.Length;
            }
            at += next;
            if (source[at + 1] is not (0 or (>= 0xD0 and <= 0xD7) or 0xFF))
            {
                return at;
            }
            at += source[at + 1] == 0xFF ? 1 : 2;
        }
        return source.Length;
    }

    /// <summary>Only chunks that change how the picture looks (PNG, third edition).</summary>
    private static bool IsCleanPng(ReadOnlySpan<byte> source)
    {
        var chunks = new PngChunks(source);
        while (chunks.Next())
        {
            if (chunks.Name.SequenceEqual("IEND"u8))
            {
                return chunks.End == source.Length;
            }
            if (!IsPictureChunk(chunks.Name))
            {
                return false;
            }
        }
        return false;
    }

    private static bool IsPictureChunk(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("IHDR"u8) || name.SequenceEqual("PLTE"u8) || name.SequenceEqual("IDAT"u8) || name.SequenceEqual("tRNS"u8)
        || name.SequenceEqual("gAMA"u8) || name.SequenceEqual("cHRM"u8) || name.SequenceEqual("sRGB"u8) || name.SequenceEqual("iCCP"u8)
        || name.SequenceEqual("cICP"u8) || name.SequenceEqual("sBIT"u8) || name.SequenceEqual("bKGD"u8) || name.SequenceEqual("pHYs"u8);

    /// <summary>Any chunk but EXIF and XMP among those that RFC 9649 names, and the RIFF size is the file's.</summary>
    private static bool IsCleanWebp(ReadOnlySpan<byte> source)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) + 8L != source.Length)
        {
            return false;
        }
        long at = 12;
        while (at + 8 <= source.Length)
        {
            var chunk = source[(int)at..];
            var name = chunk[..4];
            if (!(name.SequenceEqual("VP8 "u8) || name.SequenceEqual("VP8L"u8) || name.SequenceEqual("VP8X"u8) || name.SequenceEqual("ALPH"u8)
                || name.SequenceEqual("ANIM"u8) || name.SequenceEqual("ANMF"u8) || name.SequenceEqual("ICCP"u8)))
            {
                return false;
            }
            long length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            at += 8 + length + (length & 1);
        }
        return at == source.Length;
    }

    /// <summary>No comment, no plain text, no application extension but the one that holds the loop count (GIF89a).</summary>
    private static bool IsCleanGif(ReadOnlySpan<byte> source)
    {
        if (source.Length < 14)
        {
            return false;
        }
        var at = 13 + ColourTableBytes(source[10]);
        while (at < source.Length)
        {
            switch (source[at])
            {
                case 0x3B:
                    return at + 1 == source.Length;
                case 0x2C when at + 10 < source.Length:
                    at = AfterBlocks(source, at + 10 + ColourTableBytes(source[at + 9]) + 1);
                    break;
                case 0x21 when at + 2 < source.Length && source[at + 1] == 0xF9:
                    at = AfterBlocks(source, at + 2);
                    break;
                case 0x21 when source[at..] is [_, 0xFF, 11, ..] && (source[(at + 3)..].StartsWith("NETSCAPE2.0"u8) || source[(at + 3)..].StartsWith("ANIMEXTS1.0"u8)):
                    at = AfterBlocks(source, at + 2);
                    break;
                default:
                    return false;
            }
        }
        return false;
    }

    /// <summary>
    /// Boxes of a still picture alone, up to the end of the file, and among its items none that is not a picture: EXIF and
    /// XMP are items of their own (ISO/IEC 14496-12, 8.11; AV1 Image File Format, section 2).
    /// </summary>
    private static bool IsCleanAvif(ReadOnlySpan<byte> source)
    {
        var boxes = new IsoBoxes(source);
        while (boxes.Next())
        {
            if (boxes.Name.SequenceEqual("meta"u8) ? !HasOnlyPictureItems(boxes.Body) : !boxes.Name.SequenceEqual("ftyp"u8) && !boxes.Name.SequenceEqual("mdat"u8))
            {
                return false;
            }
        }
        return boxes.AtEnd;
    }

    private static bool HasOnlyPictureItems(ReadOnlySpan<byte> meta)
    {
        if (meta.Length < 4)
        {
            return false;
        }
        var boxes = new IsoBoxes(meta[4..]); // after version and flags
        while (boxes.Next())
        {
            if (!boxes.Name.SequenceEqual("iinf"u8))
            {
                continue;
            }
            // Version 0 counts its entries in 16 bits, version 1 in 32; an entry of version 2 has its type behind a 16-bit id and an index.
            var entries = new IsoBoxes(boxes.Body is [0, ..] and { Length: >= 6 } ? boxes.Body[6..] : default);
            var pictures = 0;
            while (entries.Next())
            {
                if (entries.Body is not [2, ..] || entries.Body.Length < 12 || !(entries.Body.Slice(8, 4).SequenceEqual("av01"u8) || entries.Body.Slice(8, 4).SequenceEqual("grid"u8)))
                {
                    return false;
                }
                pictures++;
            }
            return pictures > 0 && entries.AtEnd;
        }
        return false;
    }

    private static int ColourTableBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    /// <summary>After a row of blocks, each with its length in front, ended by an empty one.</summary>
    private static int AfterBlocks(ReadOnlySpan<byte> source, int at)
    {
        while (at < source.Length && source[at] != 0)
        {
            at += 1 + source[at];
        }
        return at + 1;
    }
}
