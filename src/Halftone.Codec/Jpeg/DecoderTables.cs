using System.Buffers.Binary;

namespace Halftone.Codec.Jpeg;

/// <summary>The tables in force while scans are read; later segments replace earlier ones (ITU-T T.81, B.2.4).</summary>
internal sealed class DecoderTables
{
    /// <summary>Quantization steps in zigzag order, each 1 to 65535; null until defined.</summary>
    public ushort[]?[] Steps { get; } = new ushort[]?[4];

    public HuffmanTable?[] Dc { get; } = new HuffmanTable?[4];

    public HuffmanTable?[] Ac { get; } = new HuffmanTable?[4];

    /// <summary>MCUs between restart markers; 0 for none.</summary>
    public int RestartInterval { get; private set; }

    /// <summary>Takes a DQT, DHT or DRI segment; null when all is well, other markers are no business of this class.</summary>
    public JpegTranscodeResult? Read(byte marker, ReadOnlySpan<byte> segment) => marker switch
    {
        Marker.Dqt => ReadSteps(segment),
        Marker.Dht => ReadHuffman(segment),
        Marker.Dri => ReadRestart(segment),
        _ => null,
    };

    private JpegTranscodeResult? ReadSteps(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            int wide = segment[0] >> 4, index = segment[0] & 15, length = 1 + (64 << wide);
            if (wide > 1 || index > 3 || segment.Length < length)
            {
                return new JpegTranscodeResult.Corrupt("quantization table cut or of no known kind");
            }

            var steps = new ushort[64];
            for (var k = 0; k < 64; k++)
            {
                steps[k] = wide == 0 ? segment[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + 2 * k)..]);
                if (steps[k] == 0)
                {
                    // Forbidden, but decoders multiply by it and go on.
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers);
                }
            }

            Steps[index] = steps;
            segment = segment[length..];
        }

        return null;
    }

    private JpegTranscodeResult.Corrupt? ReadHuffman(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            int kind = segment[0] >> 4, index = segment[0] & 15;
            if (kind > 1 || index > 3 || HuffmanTable.Read(segment[1..]) is not { } table)
            {
                return new("Huffman table that is no prefix code");
            }

            (kind == 0 ? Dc : Ac)[index] = table;
            segment = segment[(17 + table.Symbols.Length)..];
        }

        return null;
    }

    private JpegTranscodeResult.Corrupt? ReadRestart(ReadOnlySpan<byte> segment)
    {
        if (segment.Length != 2)
        {
            return new("restart interval of a wrong length");
        }

        RestartInterval = BinaryPrimitives.ReadUInt16BigEndian(segment);
        return null;
    }
}
