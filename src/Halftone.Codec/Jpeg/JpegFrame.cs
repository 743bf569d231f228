using System.Buffers.Binary;

namespace Halftone.Codec.Jpeg;

/// <summary>One colour component as the frame header describes it (ITU-T T.81, B.2.2), and its size in 8×8 blocks (A.1.1, A.2).</summary>
internal sealed class JpegComponent
{
    public required byte Id { get; init; }

    /// <summary>Horizontal sampling factor, 1 to 4.</summary>
    public required int H { get; init; }

    /// <summary>Vertical sampling factor, 1 to 4.</summary>
    public required int V { get; init; }

    /// <summary>Which of the four quantization tables.</summary>
    public required int TableIndex { get; init; }

    /// <summary>Blocks per row that hold pixels of the image; a scan of this component alone has these.</summary>
    public int BlocksWide { get; set; }

    public int BlocksHigh { get; set; }

    /// <summary>Blocks per row filled up to whole MCUs; an interleaved scan has these.</summary>
    public int PaddedWide { get; set; }

    public int PaddedHigh { get; set; }

    /// <summary>The 64 steps in zigzag order, taken when the component's first scan starts; empty before.</summary>
    public ushort[] Steps { get; set; } = [];
}

/// <summary>The frame: what kind of JPEG, how large, which components (ITU-T T.81, B.2.2).</summary>
internal sealed class JpegFrame
{
    public required bool IsProgressive { get; init; }

    public required int WidthPixels { get; init; }

    public required int HeightPixels { get; init; }

    public required JpegComponent[] Components { get; init; }

    /// <summary>MCUs per row of an interleaved scan.</summary>
    public int McusWide { get; private set; }

    public int McusHigh { get; private set; }

    /// <summary>All components' blocks together, filled up to whole MCUs.</summary>
    public long TotalBlocks { get; private set; }

    public int BlocksPerMcu { get; private set; }

    /// <summary>Reads SOF0, SOF1 or SOF2 of an 8-bit image; null with the cause where it is not one for us.</summary>
    public static JpegFrame? Read(byte marker, ReadOnlySpan<byte> segment, out JpegTranscodeResult? refusal)
    {
        refusal = null;
        if (segment.Length < 6 || segment.Length != 6 + 3 * segment[5])
        {
            refusal = new JpegTranscodeResult.Corrupt("frame header of a wrong length");
            return null;
        }

        int height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
        JpegNotTaken? reason = segment[0] != 8 ? JpegNotTaken.SamplePrecision
            : height == 0 ? JpegNotTaken.UnusualMarkers
            : segment[5] == 4 ? JpegNotTaken.Cmyk
            : segment[5] is not (1 or 3) ? JpegNotTaken.ComponentCount : null;
        if (reason is { } why)
        {
            refusal = new JpegTranscodeResult.NotTaken(why);
            return null;
        }

        var components = new JpegComponent[segment[5]];
        for (var i = 0; i < components.Length; i++)
        {
            var s = segment.Slice(6 + 3 * i, 3);
            components[i] = new JpegComponent { Id = s[0], H = s[1] >> 4, V = s[1] & 15, TableIndex = s[2] };
            if (components[i].H is < 1 or > 4 || components[i].V is < 1 or > 4 || s[2] > 3)
            {
                refusal = new JpegTranscodeResult.Corrupt("frame header with impossible sampling or table");
                return null;
            }
        }

        if (width == 0)
        {
            refusal = new JpegTranscodeResult.Corrupt("no width");
            return null;
        }

        var frame = new JpegFrame
        {
            IsProgressive = marker == Marker.Sof2,
            WidthPixels = width,
            HeightPixels = height,
            Components = components,
        };
        frame.Measure();
        return frame;
    }

    private void Measure()
    {
        int maxH = Components.Max(c => c.H), maxV = Components.Max(c => c.V);
        // One component alone is never interleaved: its MCU is one block whatever its factors say (A.2.2).
        var alone = Components.Length == 1;
        McusWide = Ceiling(WidthPixels, alone ? 8 : 8 * maxH);
        McusHigh = Ceiling(HeightPixels, alone ? 8 : 8 * maxV);
        foreach (var c in Components)
        {
            c.BlocksWide = Ceiling(Ceiling(WidthPixels * c.H, maxH), 8);
            c.BlocksHigh = Ceiling(Ceiling(HeightPixels * c.V, maxV), 8);
            c.PaddedWide = alone ? c.BlocksWide : McusWide * c.H;
            c.PaddedHigh = alone ? c.BlocksHigh : McusHigh * c.V;
            TotalBlocks += (long)c.PaddedWide * c.PaddedHigh;
            BlocksPerMcu += alone ? 1 : c.H * c.V;
        }
    }

    private static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;
}
