using System.Buffers.Binary;
using System.IO.Compression;

namespace Halftone.Tests.Compress;

/// <summary>PNG files written plainly, so that a test need not trust the codec to make its input.</summary>
internal static class PngFile
{
    // x start, y start, x step, y step of the seven passes (PNG, third edition, section 8.2)
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>RGB noise from a fixed seed: expensive to encode.</summary>
    public static byte[] Noise(int width, int height)
    {
        var rows = new byte[height * (1 + 3 * width)];
        var random = new Random(1);
        for (var y = 0; y < height; y++)
        {
            random.NextBytes(rows.AsSpan(y * (1 + 3 * width) + 1, 3 * width));
        }

        return Write(width, height, interlaced: false, rows);
    }

    /// <summary>Black and interlaced: a small file that a decoder must hold whole.</summary>
    public static byte[] Interlaced(int width, int height)
    {
        var bytes = Adam7.Sum(pass => (long)Passed(height, pass.Y, pass.StepY) * (1 + 3 * Passed(width, pass.X, pass.StepX)));
        return Write(width, height, interlaced: true, new byte[bytes]);
    }

    private static int Passed(int length, int start, int step) => (length - start + step - 1) / step;

    private static byte[] Write(int width, int height, bool interlaced, byte[] rows)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = (8, 2, (byte)(interlaced ? 1 : 0));
        Chunk(file, "IHDR"u8, header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        Chunk(file, "IDAT"u8, packed.ToArray());
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> body)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, body.Length);
        file.Write(number);
        file.Write(name);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc([.. name, .. body]));
        file.Write(number);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
