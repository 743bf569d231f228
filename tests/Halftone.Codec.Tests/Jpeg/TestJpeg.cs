using Halftone.Codec.Jpeg;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Jpeg;

/// <summary>
/// Writes JPEGs of layouts that libvips cannot: any sampling, restart intervals, one scan per component, progressive bands.
/// Written for clearness: a DCT by its definition and Huffman codes that all have the same length.
/// </summary>
internal sealed record TestJpeg
{
    /// <summary>Sampling factors of Y, Cb and Cr; of Y alone for a grey image.</summary>
    public (int H, int V)[] Sampling { get; init; } = [(2, 2), (1, 1), (1, 1)];

    public int Q { get; init; } = 90;

    /// <summary>In MCUs; 0 for none.</summary>
    public int RestartInterval { get; init; }

    /// <summary>One scan for all components, else one each. Progressive files have one for DC and two for each component's AC.</summary>
    public bool IsInterleaved { get; init; } = true;

    public bool IsProgressive { get; init; }

    /// <summary>Segments to put after SOI, marker bytes and all.</summary>
    public byte[] Extra { get; init; } = [];

    /// <summary>Component ids.</summary>
    public byte[] Ids { get; init; } = [1, 2, 3];

    public byte[] Write(Picture picture)
    {
        var frame = Frame(picture);
        var blocks = Enumerable.Range(0, Sampling.Length).Select(c => Blocks(picture, frame, c)).ToArray();
        List<byte> file = [0xFF, Marker.Soi, .. Extra];
        for (var t = 0; t < Math.Min(2, Sampling.Length); t++)
        {
            file.AddRange(Segment(Marker.Dqt, [(byte)t, .. Enumerable.Range(0, 64).Select(k => (byte)QualitySteps.Step(k, Q, t > 0))]));
        }

        file.AddRange(Segment(IsProgressive ? Marker.Sof2 : Marker.Sof0, FrameHeader(picture)));
        file.AddRange(Segment(Marker.Dht, [0x00, .. FlatTable(4, DcSymbols)]));
        file.AddRange(Segment(Marker.Dht, [0x10, .. FlatTable(8, AcSymbols)]));
        if (RestartInterval > 0)
        {
            file.AddRange(Segment(Marker.Dri, [(byte)(RestartInterval >> 8), (byte)RestartInterval]));
        }

        foreach (var (components, first, last) in Scans())
        {
            file.AddRange(Segment(
                Marker.Sos, [(byte)components.Length, .. components.SelectMany(c => (byte[])[Ids[c], 0]), (byte)first, (byte)last, 0]));
            file.AddRange(ScanBytes(frame, blocks, components, first, last));
        }

        return [.. file, 0xFF, Marker.Eoi];
    }

    public static byte[] Segment(byte marker, byte[] parameters) =>
        [0xFF, marker, (byte)((parameters.Length + 2) >> 8), (byte)(parameters.Length + 2), .. parameters];

    private static byte[] DcSymbols => [.. Enumerable.Range(0, 12).Select(i => (byte)i)];

    private static byte[] AcSymbols => [0x00, 0xF0, .. Enumerable.Range(0, 160).Select(i => (byte)(i / 10 << 4 | (i % 10 + 1)))];

    private static byte[] FlatTable(int length, byte[] symbols)
    {
        var counts = new byte[16];
        counts[length - 1] = (byte)symbols.Length;
        return [.. counts, .. symbols];
    }

    private byte[] FrameHeader(Picture picture) =>
    [
        8, (byte)(picture.Height >> 8), (byte)picture.Height, (byte)(picture.Width >> 8), (byte)picture.Width, (byte)Sampling.Length,
        .. Sampling.SelectMany((s, c) => (byte[])[Ids[c], (byte)(s.H << 4 | s.V), (byte)(c > 0 ? 1 : 0)]),
    ];

    private JpegFrame Frame(Picture picture)
    {
        var plain = this with { Ids = [1, 2, 3] };
        return JpegFrame.Read(Marker.Sof0, plain.FrameHeader(picture), out _) ?? throw new InvalidOperationException("no frame");
    }

    private IEnumerable<(int[] Components, int First, int Last)> Scans()
    {
        var all = Enumerable.Range(0, Sampling.Length).ToArray();
        if (IsProgressive)
        {
            return [(all, 0, 0), .. all.SelectMany(c => ((int[], int, int)[])[([c], 1, 5), ([c], 6, 63)])];
        }

        return IsInterleaved ? [(all, 0, 63)] : all.Select(c => ((int[])[c], 0, 63));
    }

    private byte[] ScanBytes(JpegFrame frame, int[][][] blocks, int[] components, int first, int last)
    {
        List<byte> bytes = [];
        var bits = new StuffedBits(bytes);
        var last0 = new int[3];
        var alone = components.Length == 1 ? frame.Components[components[0]] : null;
        int wide = alone?.BlocksWide ?? frame.McusWide, high = alone?.BlocksHigh ?? frame.McusHigh;
        for (var unit = 0; unit < wide * high; unit++)
        {
            if (RestartInterval > 0 && unit > 0 && unit % RestartInterval == 0)
            {
                bits.Flush();
                bytes.AddRange([0xFF, (byte)(Marker.Rst0 + (unit / RestartInterval - 1) % 8)]);
                Array.Clear(last0);
            }

            foreach (var c in components)
            {
                var component = frame.Components[c];
                int h = alone is null ? component.H : 1, v = alone is null ? component.V : 1;
                for (var b = 0; b < h * v; b++)
                {
                    int x = unit % wide * h + b % h, y = unit / wide * v + b / h;
                    Encode(bits, blocks[c][y * component.PaddedWide + x], first, last, ref last0[c]);
                }
            }
        }

        bits.Flush();
        return [.. bytes];
    }

    private static void Encode(StuffedBits bits, int[] block, int first, int last, ref int lastDc)
    {
        if (first == 0)
        {
            var difference = block[0] - lastDc;
            lastDc = block[0];
            var size = Size(difference);
            bits.Write(size, 4);
            bits.Write(difference < 0 ? difference + (1 << size) - 1 : difference, size);
            first = 1;
        }

        var run = 0;
        for (var k = first; k <= last; k++)
        {
            if (block[k] == 0)
            {
                run++;
                continue;
            }

            for (; run > 15; run -= 16)
            {
                bits.Write(Array.IndexOf(AcSymbols, (byte)0xF0), 8);
            }

            var size = Size(block[k]);
            bits.Write(Array.IndexOf(AcSymbols, (byte)(run << 4 | size)), 8);
            bits.Write(block[k] < 0 ? block[k] + (1 << size) - 1 : block[k], size);
            run = 0;
        }

        if (run > 0)
        {
            bits.Write(0, 8);
        }
    }

    private static int Size(int value) => value == 0 ? 0 : 1 + (int)Math.Log2(Math.Abs(value));

    /// <summary>Quantized coefficients in zigzag order of every block of a component, padding included.</summary>
    private int[][] Blocks(Picture picture, JpegFrame frame, int c)
    {
        var component = frame.Components[c];
        int maxH = Sampling.Max(s => s.H), maxV = Sampling.Max(s => s.V);
        int stepX = maxH / component.H, stepY = maxV / component.V;
        var blocks = new int[component.PaddedWide * component.PaddedHigh][];
        for (var b = 0; b < blocks.Length; b++)
        {
            var samples = new double[64];
            for (var i = 0; i < 64; i++)
            {
                int x = b % component.PaddedWide * 8 + i % 8, y = b / component.PaddedWide * 8 + i / 8;
                for (var s = 0; s < stepX * stepY; s++)
                {
                    samples[i] += Sample(picture, c, x * stepX + s % stepX, y * stepY + s / stepX) / (stepX * stepY);
                }
            }

            var coefficients = Dct.Forward(samples);
            blocks[b] =
            [
                .. Enumerable.Range(0, 64).Select(k => (int)Math.Round(coefficients[ZigZag.ToNatural[k]] / QualitySteps.Step(k, Q, c > 0))),
            ];
        }

        return blocks;
    }

    /// <summary>Y, Cb or Cr of a pixel (JFIF), level-shifted; beyond the edge, of the nearest pixel.</summary>
    private static double Sample(Picture picture, int c, int x, int y)
    {
        var pixel = picture[Math.Min(x, picture.Width - 1), Math.Min(y, picture.Height - 1)];
        double r = pixel[0], g = pixel[picture.Bands > 2 ? 1 : 0], b = pixel[picture.Bands > 2 ? 2 : 0];
        return c switch
        {
            0 => 0.299 * r + 0.587 * g + 0.114 * b - 128,
            1 => -0.168736 * r - 0.331264 * g + 0.5 * b,
            _ => 0.5 * r - 0.418688 * g - 0.081312 * b,
        };
    }

    private sealed class StuffedBits(List<byte> bytes)
    {
        private int pending, count;

        public void Write(int value, int length)
        {
            for (var i = length - 1; i >= 0; i--)
            {
                pending = pending << 1 | (value >> i & 1);
                if (++count == 8)
                {
                    bytes.Add((byte)pending);
                    if ((byte)pending == 0xFF)
                    {
                        bytes.Add(0);
                    }

                    count = 0;
                }
            }
        }

        public void Flush()
        {
            while (count > 0)
            {
                Write(1, 1);
            }
        }
    }
}
