using System.Buffers.Binary;
using System.Numerics;

namespace Halftone.Codec;

/// <summary>A decoded BMP or icon: 8-bit samples, rows from the top, 3 bands of sRGB or 4 with straight alpha.</summary>
internal sealed class BmpImage
{
    private const int FileHeaderBytes = 14, CoreHeaderBytes = 12, InfoHeaderBytes = 40, AlphaHeaderBytes = 56, ProfileHeaderBytes = 124;
    private const int Plain = 0, Rle8 = 1, Rle4 = 2, BitFields = 3, AlphaBitFields = 6;

    /// <summary>Pixels that are decoded at most: they are held whole, with 4 bytes each and the file.</summary>
    public const long MostPixels = 100_000_000;

    private BmpImage(int width, int height, int bands, byte[] samples) => (Width, Height, Bands, Samples) = (width, height, bands, samples);

    public int Width { get; }

    public int Height { get; }

    /// <summary>3 or 4.</summary>
    public int Bands { get; }

    public byte[] Samples { get; }

    /// <summary>An embedded ICC profile; empty without one.</summary>
    public byte[] Profile { get; private init; } = [];

    /// <summary>At most 256 colours: a drawing rather than a photograph.</summary>
    public bool IsOfPalette { get; private init; }

    /// <summary>The header, by which the pixels are counted before any is decoded.</summary>
    /// <param name="Place">Index of the header in the file.</param>
    /// <param name="Bytes">Length of the header.</param>
    /// <param name="IsTopDown">Rows are stored from the top.</param>
    internal readonly record struct Header(
        int Place, int Bytes, int Width, int Height, bool IsTopDown, int BitsPerPixel, int Compression, int ColoursUsed);

    /// <summary>Null where the header is broken or cut.</summary>
    /// <param name="source">The file.</param>
    /// <param name="at">Index of the header: 14 in a BMP.</param>
    /// <param name="isIcon">The height counts the mask too.</param>
    public static Header? ReadHeader(ReadOnlySpan<byte> source, int at = FileHeaderBytes, bool isIcon = false)
    {
        if (at < 0 || at > source.Length - CoreHeaderBytes)
        {
            return null;
        }

        var dib = source[at..];
        var bytes = BinaryPrimitives.ReadInt32LittleEndian(dib);
        if (bytes == CoreHeaderBytes)
        {
            return new Header(
                at,
                bytes,
                BinaryPrimitives.ReadUInt16LittleEndian(dib[4..]),
                BinaryPrimitives.ReadUInt16LittleEndian(dib[6..]),
                false,
                BinaryPrimitives.ReadUInt16LittleEndian(dib[10..]),
                Plain,
                0);
        }

        if (bytes < 16 || bytes > dib.Length)
        {
            return null;
        }

        int width = BinaryPrimitives.ReadInt32LittleEndian(dib[4..]), height = BinaryPrimitives.ReadInt32LittleEndian(dib[8..]);
        var compression = bytes >= 20 ? BinaryPrimitives.ReadInt32LittleEndian(dib[16..]) : Plain;
        var colours = bytes >= 36 ? BinaryPrimitives.ReadInt32LittleEndian(dib[32..]) : 0;
        if (width <= 0 || height is 0 or int.MinValue || (isIcon && (height & 1) != 0) || colours < 0)
        {
            return null;
        }

        return new Header(
            at,
            bytes,
            width,
            Math.Abs(height) / (isIcon ? 2 : 1),
            height < 0,
            BinaryPrimitives.ReadUInt16LittleEndian(dib[14..]),
            compression,
            colours);
    }

    /// <summary>Name of a kind that is not decoded; null where it is.</summary>
    public static string? Unserved(Header header) => (header.BitsPerPixel, header.Compression) switch
    {
        (1 or 2 or 4 or 8 or 16 or 24 or 32, Plain) or (8, Rle8) or (4, Rle4) => null,
        (16 or 32, BitFields or AlphaBitFields) when header.Bytes >= InfoHeaderBytes && header.Bytes != 64 => null,
        (_, 4) when header.Bytes != 64 => "a BMP that holds a JPEG",
        (_, 5) => "a BMP that holds a PNG",
        _ => $"a BMP of {header.BitsPerPixel} bits a pixel with compression {header.Compression}",
    };

    /// <summary>Decodes a BMP; null where pixels are missing.</summary>
    public static BmpImage? Decode(ReadOnlySpan<byte> source, Header header)
    {
        var start = BinaryPrimitives.ReadInt32LittleEndian(source[10..]);
        return Decode(source, header, start, mask: 0);
    }

    /// <summary>Decodes the picture and the mask of an icon's entry; null where pixels are missing.</summary>
    public static BmpImage? DecodeIcon(ReadOnlySpan<byte> source, Header header)
    {
        if (Unserved(header) is not null || header.Compression is Rle8 or Rle4)
        {
            return null;
        }

        var start = header.Place + header.Bytes + MaskBytes(header) + PaletteCount(header) * PaletteEntryBytes(header);
        return Decode(source, header, start, start + RowBytes(header.Width, header.BitsPerPixel) * header.Height);
    }

    private static BmpImage? Decode(ReadOnlySpan<byte> source, Header header, long start, long mask)
    {
        if (start < 0 || start > source.Length)
        {
            return null;
        }

        var colours = new Colours(source, header, hasAlpha: mask > 0);
        var rows = header.Compression is Rle8 or Rle4 ? Unpack(source[(int)start..], header) : source[(int)start..];
        var rowBytes = RowBytes(header.Width, header.Compression is Rle8 or Rle4 ? 8 : header.BitsPerPixel);
        if (rows.Length < rowBytes * header.Height)
        {
            return null;
        }

        var samples = new byte[checked(header.Width * header.Height * 4)];
        var alphas = 0;
        for (var y = 0; y < header.Height; y++)
        {
            var row = rows.Slice((int)(rowBytes * (header.IsTopDown ? y : header.Height - 1 - y)), (int)rowBytes);
            alphas |= colours.Read(
                row, header.Compression is Rle8 or Rle4 ? 8 : header.BitsPerPixel, samples.AsSpan(y * header.Width * 4, header.Width * 4));
        }

        // Writers that know nothing of alpha leave it 0 everywhere.
        var hasAlpha = colours.HasAlpha && alphas != 0;
        if (!hasAlpha && mask > 0)
        {
            hasAlpha = ApplyMask(source, header, mask, samples);
        }

        var isOfPalette = header.BitsPerPixel <= 8;
        return hasAlpha
            ? new BmpImage(header.Width, header.Height, 4, samples) { IsOfPalette = isOfPalette }
            : new BmpImage(header.Width, header.Height, 3, WithoutAlpha(samples))
            {
                IsOfPalette = isOfPalette,
                Profile = EmbeddedProfile(source, header),
            };
    }

    private static long RowBytes(int width, int bits) => ((long)width * bits + 31) / 32 * 4;

    private static int PaletteEntryBytes(Header header) => header.Bytes == CoreHeaderBytes ? 3 : 4;

    private static int PaletteCount(Header header) =>
        header.BitsPerPixel > 8
            ? Math.Min(header.ColoursUsed, 256)
            : header.ColoursUsed is > 0 and <= 256 ? header.ColoursUsed : 1 << header.BitsPerPixel;

    /// <summary>Colour masks that follow a header too short to hold them.</summary>
    private static int MaskBytes(Header header) =>
        header.Bytes != InfoHeaderBytes ? 0 : header.Compression switch { BitFields => 12, AlphaBitFields => 16, _ => 0 };

    private static byte[] WithoutAlpha(byte[] rgba)
    {
        var rgb = new byte[rgba.Length / 4 * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
        }

        return rgb;
    }

    /// <summary>A set bit of the mask is a transparent pixel. Files without a whole mask have none.</summary>
    private static bool ApplyMask(ReadOnlySpan<byte> source, Header header, long mask, Span<byte> samples)
    {
        var rowBytes = RowBytes(header.Width, 1);
        if (mask + rowBytes * header.Height > source.Length)
        {
            return false;
        }

        var any = false;
        for (var y = 0; y < header.Height; y++)
        {
            var row = source.Slice((int)(mask + rowBytes * (header.IsTopDown ? y : header.Height - 1 - y)), (int)rowBytes);
            for (var x = 0; x < header.Width; x++)
            {
                if ((row[x >> 3] & 0x80 >> (x & 7)) != 0)
                {
                    samples.Slice((y * header.Width + x) * 4, 4).Clear();
                    any = true;
                }
            }
        }

        return any;
    }

    private static byte[] EmbeddedProfile(ReadOnlySpan<byte> source, Header header)
    {
        if (header.Bytes < ProfileHeaderBytes || !source[(header.Place + 56)..].StartsWith("DEBM"u8))
        {
            return [];
        }

        long start = header.Place + (long)BinaryPrimitives.ReadUInt32LittleEndian(source[(header.Place + 112)..]);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(source[(header.Place + 116)..]);
        return start + length <= source.Length ? source.Slice((int)start, (int)length).ToArray() : [];
    }

    /// <summary>Run lengths into rows of one byte a pixel; pixels that are skipped have colour 0. Empty where the data is cut.</summary>
    private static byte[] Unpack(ReadOnlySpan<byte> data, Header header)
    {
        var rowBytes = (int)RowBytes(header.Width, 8);
        var rows = new byte[checked(rowBytes * header.Height)];
        int x = 0, y = 0, at = 0;
        while (at + 1 < data.Length)
        {
            int count = data[at], value = data[at + 1];
            at += 2;
            if (count > 0)
            {
                for (var i = 0; i < count; i++)
                {
                    Put(header.Compression == Rle8 ? value : (i & 1) == 0 ? value >> 4 : value & 15);
                }

                continue;
            }

            switch (value)
            {
                case 0:
                    (x, y) = (0, y + 1);
                    break;
                case 1:
                    return rows;
                case 2 when at + 1 < data.Length:
                    (x, y) = (x + data[at], y + data[at + 1]);
                    at += 2;
                    break;
                default:
                    var bytes = header.Compression == Rle8 ? value : (value + 1) / 2;
                    if (at + bytes > data.Length)
                    {
                        return [];
                    }

                    for (var i = 0; i < value; i++)
                    {
                        Put(header.Compression == Rle8 ? data[at + i] : (i & 1) == 0 ? data[at + i / 2] >> 4 : data[at + i / 2] & 15);
                    }

                    at += bytes + (bytes & 1);
                    break;
            }
        }

        // Without its end mark it is whole where the last row was reached.
        return y >= header.Height - 1 && x >= header.Width || y >= header.Height ? rows : [];

        void Put(int colour)
        {
            if (x < header.Width && y < header.Height)
            {
                rows[y * rowBytes + x] = (byte)colour;
            }

            x++;
        }
    }

    /// <summary>How pixels become colours: by a palette, by masks, or as they are.</summary>
    private sealed class Colours
    {
        private readonly uint[] palette = [];
        private readonly uint[] masks = [];

        public Colours(ReadOnlySpan<byte> source, Header header, bool hasAlpha)
        {
            if (header.BitsPerPixel <= 8)
            {
                palette = ReadPalette(source, header);
                return;
            }

            masks = header.BitsPerPixel == 16
                ? [0x7C00, 0x03E0, 0x001F, 0]
                : [0x00FF0000, 0x0000FF00, 0x000000FF, hasAlpha && header.BitsPerPixel == 32 ? 0xFF000000 : 0];
            if (header.Compression is BitFields or AlphaBitFields)
            {
                // In a longer header they stand where they would follow a short one.
                var count = header.Bytes >= AlphaHeaderBytes || header.Compression == AlphaBitFields ? 4 : 3;
                var at = header.Place + InfoHeaderBytes;
                for (var i = 0; i < count && at + 4 * i + 4 <= source.Length; i++)
                {
                    masks[i] = BinaryPrimitives.ReadUInt32LittleEndian(source[(at + 4 * i)..]);
                }
            }

            HasAlpha = masks[3] != 0;
        }

        public bool HasAlpha { get; }

        /// <summary>Reads a row into RGBA.</summary>
        /// <returns>All alphas joined.</returns>
        public int Read(ReadOnlySpan<byte> row, int bits, Span<byte> rgba)
        {
            var alphas = 0;
            for (var x = 0; x < rgba.Length / 4; x++)
            {
                var pixel = bits switch
                {
                    <= 8 => (uint)(row[x * bits >> 3] >> (8 - bits - (x * bits & 7)) & ((1 << bits) - 1)),
                    16 => BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..]),
                    24 => (uint)(row[3 * x] | row[3 * x + 1] << 8 | row[3 * x + 2] << 16),
                    _ => BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]),
                };
                var to = rgba.Slice(4 * x, 4);
                if (bits <= 8)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(to, pixel < palette.Length ? palette[pixel] : 0xFF000000);
                    continue;
                }

                (to[0], to[1], to[2]) = (Part(pixel, masks[0]), Part(pixel, masks[1]), Part(pixel, masks[2]));
                to[3] = HasAlpha ? Part(pixel, masks[3]) : (byte)255;
                alphas |= HasAlpha ? to[3] : 0;
            }

            return alphas;
        }

        private static byte Part(uint pixel, uint mask)
        {
            if (mask == 0)
            {
                return 0;
            }

            var shift = BitOperations.TrailingZeroCount(mask);
            ulong most = mask >> shift;
            return (byte)(((pixel & mask) >> shift) * 255UL / most);
        }

        private static uint[] ReadPalette(ReadOnlySpan<byte> source, Header header)
        {
            var bytes = PaletteEntryBytes(header);
            var start = header.Place + header.Bytes + MaskBytes(header);
            var count = Math.Clamp((source.Length - start) / bytes, 0, PaletteCount(header));
            var palette = new uint[count];
            for (var i = 0; i < count; i++)
            {
                var entry = source.Slice(start + i * bytes, 3);
                palette[i] = 0xFF000000 | (uint)entry[0] << 16 | (uint)entry[1] << 8 | entry[2];
            }

            return palette;
        }
    }
}
