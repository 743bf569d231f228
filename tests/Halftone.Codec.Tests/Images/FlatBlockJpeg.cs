using System.Buffers.Binary;

namespace Halftone.Codec.Tests.Images;

/// <summary>
/// A baseline JPEG written by hand (ITU-T T.81) for layouts that libvips cannot write: 4:1:1, where each colour sample
/// covers four pixels in a row. Every 8x8 block is flat, so only DC coefficients are coded.
/// </summary>
internal static class FlatBlockJpeg
{
    private const int Quantizer = 8; // of DC: a step is one grey level

    /// <summary>4:1:1 of 32x8 pixels a unit: <paramref name="colour"/> gives red, green and blue of unit (x, y).</summary>
    public static byte[] FourOneOne(int unitsAcross, int unitsDown, Func<int, int, (byte Red, byte Green, byte Blue)> colour)
    {
        using var file = new MemoryStream();
        file.Write([0xFF, 0xD8]);
        Segment(file, 0xE0, [.. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        Segment(file, 0xDB, [0, .. Enumerable.Repeat((byte)Quantizer, 64)]);
        var frame = new byte[15];
        frame[0] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)(8 * unitsDown));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(3), (ushort)(32 * unitsAcross));
        byte[] components = [3, 1, 0x41, 0, 2, 0x11, 0, 3, 0x11, 0];
        components.CopyTo(frame, 5);
        Segment(file, 0xC0, frame);
        // DC: the twelve categories all as four-bit codes. AC: "end of block" as the one-bit code 0.
        Segment(file, 0xC4, [0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Enumerable.Range(0, 12).Select(i => (byte)i)]);
        Segment(file, 0xC4, [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00]);
        Segment(file, 0xDA, [3, 1, 0x00, 2, 0x00, 3, 0x00, 0, 63, 0]);

        var bits = new Bits(file);
        Span<int> before = [0, 0, 0];
        for (var y = 0; y < unitsDown; y++)
        {
            for (var x = 0; x < unitsAcross; x++)
            {
                var (red, green, blue) = colour(x, y);
                // JFIF: levels around 128 are DC values around 0
                Span<double> levels =
                [
                    0.299 * red + 0.587 * green + 0.114 * blue - 128,
                    -0.168736 * red - 0.331264 * green + 0.5 * blue,
                    0.5 * red - 0.418688 * green - 0.081312 * blue,
                ];
                for (var block = 0; block < 6; block++)
                {
                    var component = block < 4 ? 0 : block - 3;
                    var value = (int)Math.Round(levels[component]);
                    bits.Dc(value - before[component]);
                    before[component] = value;
                    bits.Put(0, 1);
                }
            }
        }

        bits.Flush();
        file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }

    private static void Segment(MemoryStream file, byte marker, byte[] body)
    {
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)(body.Length + 2));
        file.Write([0xFF, marker]);
        file.Write(length);
        file.Write(body);
    }

    private sealed class Bits(MemoryStream file)
    {
        private int pending;
        private int count;

        public void Dc(int difference)
        {
            var category = difference == 0 ? 0 : 1 + (int)Math.Log2(Math.Abs(difference));
            Put(category, 4);
            Put(difference < 0 ? difference + (1 << category) - 1 : difference, category);
        }

        public void Put(int value, int length)
        {
            for (var bit = length - 1; bit >= 0; bit--)
            {
                pending = (pending << 1) | ((value >> bit) & 1);
                if (++count == 8)
                {
                    file.WriteByte((byte)pending);
                    if (pending == 0xFF)
                    {
                        file.WriteByte(0);
                    }

                    (pending, count) = (0, 0);
                }
            }
        }

        public void Flush()
        {
            while (count > 0)
            {
                Put(1, 1);
            }
        }
    }
}
