using System.Buffers.Binary;

namespace Halftone.Codec.Jpeg;

/// <summary>The orientation tag of an EXIF segment (JEITA CP-3451, 4.6.4 A; TIFF 6.0, section 2), read and written alone.</summary>
internal static class ExifOrientation
{
    private const ushort OrientationTag = 0x0112, ShortType = 3;

    /// <summary>What an EXIF segment starts with.</summary>
    public static ReadOnlySpan<byte> Prefix => "Exif\0\0"u8;

    /// <summary>1 to 8; 1, which is upright, where the segment has no legible tag.</summary>
    /// <param name="segment">APP1 parameters, from the prefix on.</param>
    public static int Read(ReadOnlySpan<byte> segment) => ReadTiff(segment[Prefix.Length..]);

    /// <summary>As <see cref="Read"/>, of an EXIF block without the prefix, as PNG and WebP hold it; a prefix is skipped.</summary>
    public static int ReadTiff(ReadOnlySpan<byte> tiff)
    {
        if (tiff.StartsWith(Prefix))
        {
            tiff = tiff[Prefix.Length..];
        }

        if (tiff.Length < 8)
        {
            return 1;
        }

        var isLittle = tiff.StartsWith("II"u8);
        if (!isLittle && !tiff.StartsWith("MM"u8))
        {
            return 1;
        }

        var directory = UInt32(tiff, 4, isLittle);
        if (directory > tiff.Length - 2)
        {
            return 1;
        }

        int at = (int)directory + 2, entries = UInt16(tiff, (int)directory, isLittle);
        for (; entries > 0 && at + 12 <= tiff.Length; entries--, at += 12)
        {
            if (UInt16(tiff, at, isLittle) == OrientationTag)
            {
                int value = UInt16(tiff, at + 8, isLittle);
                return UInt16(tiff, at + 2, isLittle) == ShortType && value is >= 1 and <= 8 ? value : 1;
            }
        }

        return 1;
    }

    /// <summary>APP1 parameters that say nothing but the orientation: big-endian TIFF, one directory of one entry.</summary>
    public static byte[] Write(int orientation) => [.. Prefix, .. WriteTiff(orientation)];

    /// <summary>As <see cref="Write"/>, without the prefix.</summary>
    public static byte[] WriteTiff(int orientation) =>
    [
        (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8,
        0, 1, OrientationTag >> 8, OrientationTag & 0xFF, 0, (byte)ShortType, 0, 0, 0, 1, 0, (byte)orientation, 0, 0,
        0, 0, 0, 0,
    ];

    private static ushort UInt16(ReadOnlySpan<byte> data, int at, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(data[at..]) : BinaryPrimitives.ReadUInt16BigEndian(data[at..]);

    private static uint UInt32(ReadOnlySpan<byte> data, int at, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(data[at..]) : BinaryPrimitives.ReadUInt32BigEndian(data[at..]);
}
