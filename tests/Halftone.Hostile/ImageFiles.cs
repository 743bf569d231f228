using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Halftone.Codec;

namespace Halftone.Hostile;

/// <summary>What may come of a file.</summary>
internal enum Fate
{
    /// <summary>It never completes.</summary>
    Refused,

    /// <summary>It completes, as what it is.</summary>
    Completed,

    /// <summary>
    /// It is a legal image that costs too much, or one with something beside it: it may complete, and then nothing but the picture comes
    /// out.
    /// </summary>
    Either,
}

/// <summary>A file as a hostile or careless host may serve it.</summary>
/// <param name="Name">In some words.</param>
/// <param name="Extension">What its URL ends with.</param>
/// <param name="Body">The bytes.</param>
/// <param name="Fate">What may come of it.</param>
/// <param name="Says">What the operator is told of it where the host sent no image at all; else null.</param>
internal sealed record ImageFile(string Name, string Extension, byte[] Body, Fate Fate = Fate.Refused, string? Says = null);

/// <summary>Images that are made here, byte by byte where that matters, and what can be done to them.</summary>
internal static class ImageFiles
{
    private const int Side = 24;
    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>One good file of each format, some hundred bytes each.</summary>
    public static IEnumerable<byte[]> Small() => Good().Select(file => file.Body);

    /// <summary>The whole collection.</summary>
    public static IReadOnlyList<ImageFile> All() => [.. Good(), .. Giants(), .. Bombs(), .. Broken(), .. Polyglots(), .. NoImages()];

    /// <summary>A PNG with a picture of squares, RGB; large enough that a smaller one can be made of it.</summary>
    public static byte[] Png(int width = Side, int height = Side)
    {
        var rows = new byte[height * (1 + (3 * width))];
        for (var at = 0; at < rows.Length; at++)
        {
            var (y, x) = (at / (1 + (3 * width)), at % (1 + (3 * width)));
            rows[at] = (byte)(x == 0 ? 0 : (x / 4 * 40) ^ (y / 4 * 24) ^ (at * 7 % 13));
        }

        return PngOf(width, height, 8, 2, rows);
    }

    private static List<ImageFile> Good()
    {
        var png = Png();
        byte[] As(ImageFormat format) =>
            ((CodecResult.Compressed)ImageCodec.Compress(png, new CodecRequest { Format = format, Q = 90 })).Body.ToArray();
        return
        [
            new("good PNG", "png", png, Fate.Completed),
            new("good JPEG", "jpg", As(ImageFormat.Jpeg), Fate.Completed),
            new("good WebP", "webp", As(ImageFormat.Webp), Fate.Completed),
            new("good GIF", "gif", As(ImageFormat.Gif), Fate.Completed),
            new("good AVIF", "avif", As(ImageFormat.Avif), Fate.Completed),
            new("good TIFF", "tif", Tiff(Side, Side), Fate.Completed),
            new("PNG named .jpg", "jpg", png, Fate.Completed),
            new("JPEG named .png", "png", As(ImageFormat.Jpeg), Fate.Completed),
            new("GIF named .php", "php", As(ImageFormat.Gif), Fate.Completed),
        ];
    }

    private static List<ImageFile> Giants()
    {
        var good = Good().ToDictionary(file => file.Name, file => file.Body);
        var png = Changed(good["good PNG"], bytes =>
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 60_000);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 60_000);
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), Crc(bytes.AsSpan(12, 17)));
        });
        var jpeg = Changed(good["good JPEG"], bytes =>
        {
            var frame = Math.Max(bytes.AsSpan().IndexOf<byte>([0xFF, 0xC0]), bytes.AsSpan().IndexOf<byte>([0xFF, 0xC2]));
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(frame + 5), 65_000);
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(frame + 7), 65_000);
        });
        var gif = Changed(good["good GIF"], bytes =>
        {
            var frame = bytes.AsSpan().IndexOf<byte>([0x2C, 0, 0, 0, 0, Side, 0, Side, 0]);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(frame + 5), 65_000);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(frame + 7), 65_000);
        });
        var avif = Changed(good["good AVIF"], bytes =>
        {
            var size = bytes.AsSpan().IndexOf("ispe"u8);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(size + 8), 60_000);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(size + 12), 60_000);
        });
        var webp = Changed(good["good WebP"], bytes =>
        {
            // The frame header of VP8 is 10 bytes behind its chunk's: sizes of 14 bits (RFC 6386, section 9.1).
            var frame = bytes.AsSpan().IndexOf<byte>([0x9D, 0x01, 0x2A]);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(frame + 3), 0x3FFF);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(frame + 5), 0x3FFF);
        });
        return
        [
            new("PNG that claims 60,000 x 60,000", "png", png),
            new("JPEG that claims 65,000 x 65,000", "jpg", jpeg),
            new("GIF that claims 65,000 x 65,000", "gif", gif),
            new("WebP that claims 16,383 x 16,383", "webp", webp),
            new("WebP that claims 16,777,216 x 256", "webp", ExtendedWebp(1 << 24, 256)),
            new("TIFF that claims 60,000 x 60,000", "tif", Tiff(60_000, 60_000)),
            new("AVIF that claims 60,000 x 60,000", "avif", avif),
            new("PNG of 12,000 x 12,000 in 200 KB", "png", PngOf(12_000, 12_000, 1, 0, new byte[12_000 * (1 + (12_000 / 8))])),
            new("PNG of 1 x 90,000,000", "png", PngOf(1, 90_000_000, 8, 0, new byte[180_000_000])),
            new("PNG of 90,000,000 x 1", "png", PngOf(90_000_000, 1, 8, 0, new byte[90_000_001])),
            new("interlaced PNG of 9,000 x 9,000 that is not there", "png", PngOf(9_000, 9_000, 8, 6, new byte[1000], interlaced: true)),
            new("GIF of 100,000 frames", "gif", Gif(1, 1, 100_000)),
            new("GIF of 100,000 frames of 64 x 64", "gif", Gif(64, 64, 100_000)),
        ];
    }

    private static List<ImageFile> Bombs()
    {
        var png = Png();
        var bomb = Zlib(new byte[64 << 20], times: 16);
        return
        [
            new("PNG with 1 GiB of text (zTXt)", "png", WithChunks(png, [Chunk("zTXt", [.. "Comment\0\0"u8, .. bomb])]), Fate.Either),
            new(
                "PNG with 1 GiB of text (iTXt)",
                "png",
                WithChunks(png, [Chunk("iTXt", [.. "Comment\0\u0001\0\0\0"u8, .. bomb])]),
                Fate.Either),
            new("PNG with a profile of 1 GiB (iCCP)", "png", WithChunks(png, [Chunk("iCCP", [.. "Profile\0\0"u8, .. bomb])]), Fate.Either),
            new(
                "PNG of 10,000 text chunks",
                "png",
                WithChunks(
                    png, Enumerable.Range(0, 10_000).Select(number => Chunk("tEXt", Encoding.ASCII.GetBytes($"Key{number}\0value")))),
                Fate.Either),
            new(
                "PNG of 10,000 unknown chunks",
                "png",
                WithChunks(png, Enumerable.Range(0, 10_000).Select(_ => Chunk("abCd", new byte[20]))),
                Fate.Either),
            new(
                "PNG of 10,000 empty IDATs",
                "png",
                WithChunks(png, Enumerable.Range(0, 10_000).Select(_ => Chunk("IDAT", []))),
                Fate.Either),
            new(
                "JPEG of 10,000 comments",
                "jpg",
                JpegWith(Enumerable.Range(0, 10_000).Select(_ => new byte[] { 0xFF, 0xFE, 0, 4, 65, 66 })),
                Fate.Either),
            new(
                "JPEG of 900 profile parts",
                "jpg",
                JpegWith(Enumerable.Range(0, 900).Select(
                    part => (byte[])[0xFF, 0xE2, 0, 20, .. "ICC_PROFILE\0"u8, (byte)(1 + (part % 255)), 255, 1, 2, 3, 4])),
                Fate.Either),
            new(
                "PNG whose pixels inflate to 1 GiB more than they should",
                "png",
                [.. png[..33], .. Chunk("IDAT", bomb), .. Chunk("IEND", [])],
                Fate.Either),
            new("PNG with a chunk of 2 GiB", "png", [.. png[..33], 0x7F, 0xFF, 0xFF, 0xFF, .. "tEXt"u8, .. new byte[100]]),
        ];
    }

    private static List<ImageFile> Broken()
    {
        List<ImageFile> broken = [];
        foreach (var (name, extension, body, _, _) in Good().Take(6))
        {
            foreach (var percent in (int[])[10, 50, 90])
            {
                broken.Add(new($"{name} cut at {percent} %", extension, body[..(body.Length * percent / 100)]));
            }

            broken.Add(new(
                $"{name} with noise in its middle",
                extension,
                Changed(body, bytes => new Random(1).NextBytes(bytes.AsSpan((bytes.Length / 2) - 10, 20))),
                Fate.Either));
            // a table of zeros is one
            broken.Add(new(
                $"{name} with a zeroed head",
                extension,
                Changed(body, bytes => bytes.AsSpan(8, 24).Clear()),
                extension == "jpg" ? Fate.Either : Fate.Refused));
            broken.Add(new($"{name}: its first 12 bytes", extension, body[..12]));
        }

        return broken;
    }

    private static List<ImageFile> Polyglots()
    {
        var good = Good().ToDictionary(file => file.Name, file => file.Body);
        byte[] zip = [.. "PK\x03\x04"u8, .. new byte[26], .. "evil.sh#!/bin/sh secret-payload"u8, .. "PK\x05\x06"u8, .. new byte[18]];
        var script = "<script>alert('secret-payload')</script><?php system('secret-payload'); ?>"u8.ToArray();
        return
        [
            new("JPEG with a ZIP behind it", "jpg", [.. good["good JPEG"], .. zip], Fate.Either),
            new("PNG with a page behind it", "png", [.. good["good PNG"], .. script], Fate.Either),
            new("GIF with a script behind it", "gif", [.. good["good GIF"], .. script], Fate.Either),
            new("WebP with a script behind it", "webp", [.. good["good WebP"], .. script], Fate.Either),
            new("JPEG with PHP in a comment", "jpg", JpegWith([[0xFF, 0xFE, 0, (byte)(script.Length + 2), .. script]]), Fate.Either),
            new("PNG with a script in its text", "png", WithChunks(Png(), [Chunk("tEXt", [.. "Comment\0"u8, .. script])]), Fate.Either),
            new("GIF that is a script: GIF89a/*", "gif", [.. "GIF89a/*"u8, .. new byte[100], .. "*/=1;alert('secret-payload')"u8]),
            new("PDF with a JPEG in it", "jpg", [.. "%PDF-1.7\n"u8, .. good["good JPEG"]]),
            new("page that begins like a JPEG", "jpg", [0xFF, 0xD8, 0xFF, .. "<!DOCTYPE html><title>secret-payload</title>"u8]),
            new("ZIP with a PNG in it", "png", [.. zip, .. good["good PNG"]], Says: "a ZIP archive"),
        ];
    }

    private static List<ImageFile> NoImages() =>
    [
        Text(
            "SVG",
            "svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"><image "
                + "xlink:href=\"file:///etc/passwd\"/></svg>",
            "an SVG drawing"),
        Text(
            "SVG with entities",
            "jpg",
            "<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><svg>&b;</svg>",
            null),
        Text("PDF", "pdf", "%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj", "a PDF document"),
        Text(
            "MVG",
            "jpg",
            "push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/\"|touch /tmp/x\")'\npop graphic-context",
            "text"),
        Text(
            "MSL",
            "jpg",
            "<?xml version=\"1.0\"?><image><read filename=\"/etc/passwd\"/><write filename=\"/tmp/x\"/></image>",
            "an XML document"),
        Text("PPM", "ppm", "P6\n60000 60000\n255\n", null),
        Text("PostScript", "jpg", "%!PS-Adobe-3.0\n(/etc/passwd) run", null),
        Text("page", "jpg", "<!DOCTYPE html><html><head><title>secret-payload</title></head></html>", "an HTML page"),
        Text("JSON", "png", "{\"error\":\"secret-payload\"}", "a JSON document"),
        Text("playlist", "gif", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd", "text"),
        new("zero bytes", "jpg", []),
        new("one byte", "jpg", [0xFF]),
        new("a megabyte of zeros", "png", new byte[1 << 20]),
        new("a megabyte of noise", "png", Noise(1 << 20)),
        new("BMP", "bmp", [.. "BM"u8, .. new byte[60]]),
        new("ICO", "ico", [0, 0, 1, 0, 1, 0, 16, 16, .. new byte[60]]),
        new("ELF program", "jpg", [0x7F, .. "ELF"u8, .. new byte[100]]),
        new("gzip of a PNG", "png", Gzip(Png())),
        new("HEIC", "heic", [.. "\0\0\0\u0018ftypheic\0\0\0\0mif1heic"u8, .. new byte[60]]),
    ];

    private static ImageFile Text(string name, string extension, string text, string? says) =>
        new(name, extension, Encoding.UTF8.GetBytes(text), Says: says);

    private static byte[] Changed(byte[] original, Action<byte[]> change)
    {
        var copy = original.ToArray();
        change(copy);
        return copy;
    }

    private static byte[] PngOf(int width, int height, byte bits, byte colour, byte[] rows, bool interlaced = false)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = (bits, colour, (byte)(interlaced ? 1 : 0));
        return [
            0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR", header), .. Chunk("IDAT", Zlib(rows)),
            .. Chunk("IEND", []),
        ];
    }

    private static byte[] WithChunks(byte[] png, IEnumerable<byte[]> chunks) =>
        [.. png[..33], .. chunks.SelectMany(chunk => chunk), .. png[33..]];

    private static byte[] Chunk(string name, byte[] body)
    {
        var chunk = new byte[12 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length);
        Encoding.ASCII.GetBytes(name, chunk.AsSpan(4));
        body.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + body.Length), Crc(chunk.AsSpan(4, 4 + body.Length)));
        return chunk;
    }

    private static byte[] JpegWith(IEnumerable<byte[]> segments)
    {
        var jpeg = Good().First(file => file.Name == "good JPEG").Body;
        return [.. jpeg[..2], .. segments.SelectMany(segment => segment), .. jpeg[2..]];
    }

    private static byte[] Zlib(byte[] bytes, int times = 1)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest))
        {
            for (var time = 0; time < times; time++)
            {
                zlib.Write(bytes);
            }
        }

        return packed.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(1).NextBytes(noise);
        noise[0] = 1;
        return noise;
    }

    /// <summary>One colour, so many frames; each is 4 + 10 + 5 bytes.</summary>
    private static byte[] Gif(ushort width, ushort height, int frames)
    {
        var size = new byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(size, width);
        BinaryPrimitives.WriteUInt16LittleEndian(size.AsSpan(2), height);
        // Minimum code size 2: clear, 0, end. A decoder fills up what is missing, or says that the frame is cut.
        byte[] frame = [0x21, 0xF9, 4, 0, 1, 0, 0, 0, 0x2C, 0, 0, 0, 0, .. size, 0, 2, 2, 0x44, 0x01, 0];
        using var gif = new MemoryStream();
        gif.Write([.. "GIF89a"u8, .. size, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
        for (var number = 0; number < frames; number++)
        {
            gif.Write(frame);
        }

        gif.WriteByte(0x3B);
        return gif.ToArray();
    }

    /// <summary>A VP8X head with a canvas of that size and no frame behind it.</summary>
    private static byte[] ExtendedWebp(int width, int height)
    {
        var canvas = new byte[10];
        BinaryPrimitives.WriteInt32LittleEndian(canvas.AsSpan(4), width - 1);
        (canvas[7], canvas[8], canvas[9]) = ((byte)((height - 1) & 0xFF), (byte)(((height - 1) >> 8) & 0xFF), (byte)((height - 1) >> 16));
        byte[] body = [.. "WEBPVP8X"u8, 10, 0, 0, 0, .. canvas, .. "VP8 "u8, 4, 0, 0, 0, 1, 2, 3, 4];
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
        return [.. "RIFF"u8, .. length, .. body];
    }

    /// <summary>Grey, uncompressed, one strip (TIFF 6.0); the pixels of 24 x 24 whatever it claims.</summary>
    private static byte[] Tiff(int width, int height)
    {
        (ushort Tag, ushort Type, int Value)[] entries =
        [
            (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8 + 2 + (12 * 9) + 4), (277, 3, 1),
            (278, 4, height), (279, 4, Side * Side),
        ];
        var file = new byte[8 + 2 + (12 * entries.Length) + 4 + (Side * Side)];
        "II*\0"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), 8);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), (ushort)entries.Length);
        for (var index = 0; index < entries.Length; index++)
        {
            var entry = file.AsSpan(10 + (12 * index));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, entries[index].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], entries[index].Type);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], 1);
            BinaryPrimitives.WriteInt32LittleEndian(entry[8..], entries[index].Value);
        }

        for (var pixel = 0; pixel < Side * Side; pixel++)
        {
            file[^(pixel + 1)] = (byte)(pixel * 5);
        }

        return file;
    }

    private static uint[] MakeCrcTable() => [.. Enumerable.Range(0, 256).Select(number =>
    {
        var crc = (uint)number;
        for (var bit = 0; bit < 8; bit++)
        {
            crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }

        return crc;
    })];

    /// <summary>PNG, third edition, annex D.</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc = CrcTable[(crc ^ value) & 0xFF] ^ (crc >> 8);
        }

        return ~crc;
    }
}
