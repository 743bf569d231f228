using System.Buffers.Binary;

namespace Halftone.Codec.Tests.Images;

/// <summary>
/// Uncompressed TIFF in one strip, written by hand, of one or of three and more bands (TIFF 6.0), since the codec's libvips writes none.
/// </summary>
internal static class TiffFile
{
    public static byte[] Write(int width, int height, int bands, int bitsPerSample, ReadOnlySpan<byte> littleEndianSamples)
    {
        (ushort Tag, ushort Type, int Count, int Value)[] entries =
        [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, bands, bitsPerSample),
            (259, 3, 1, 1),
            (262, 3, 1, bands < 3 ? 1 : 2),
            (273, 4, 1, 0),
            (277, 3, 1, bands),
            (278, 4, 1, height),
            (279, 4, 1, littleEndianSamples.Length),
        ];
        var head = new byte[8 + 2 + 12 * entries.Length + 4];
        "II*\0"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), 8);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(8), (ushort)entries.Length);
        for (var i = 0; i < entries.Length; i++)
        {
            var at = head.AsSpan(10 + 12 * i);
            BinaryPrimitives.WriteUInt16LittleEndian(at, entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(at[2..], entries[i].Type);
            BinaryPrimitives.WriteInt32LittleEndian(at[4..], entries[i].Count);
            BinaryPrimitives.WriteInt32LittleEndian(at[8..], entries[i] switch
            {
                (273, _, _, _) => head.Length + 2 * bands,
                (258, _, > 1, _) => head.Length, // too long for the entry: right behind it
                var entry => entry.Value,
            });
        }

        var bits = new byte[2 * bands];
        for (var band = 0; band < bands; band++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bits.AsSpan(2 * band), (ushort)bitsPerSample);
        }

        return [.. head, .. bits, .. littleEndianSamples];
    }
}
