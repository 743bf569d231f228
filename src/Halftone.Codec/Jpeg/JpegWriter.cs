using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Jpeg;

/// <summary>Writes the segments of a JPEG in front of the data of its scans (ITU-T T.81, B.2; JFIF 1.01).</summary>
internal sealed class JpegWriter
{
    /// <summary>A segment's length field counts itself and has 16 bits.</summary>
    private const int MaxSegmentBytes = 65533;

    private readonly List<byte> bytes = new(1024);

    /// <summary>SOI, JFIF, and what stays of the metadata.</summary>
    public void Start(JpegMetadata metadata)
    {
        bytes.Clear();
        bytes.AddRange([0xFF, Marker.Soi]);
        // Version 1.01; density without a unit, 1:1; no thumbnail.
        Segment(Marker.App0, [.. "JFIF\0"u8, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        if (metadata.Orientation != 1)
        {
            bytes.AddRange(OrientationSegment(metadata.Orientation));
        }

        if (metadata.Profile is { } profile)
        {
            Segment(Marker.App2, [.. "ICC_PROFILE\0"u8, 1, 1, .. profile]);
        }
    }

    /// <summary>An EXIF segment, marker and all, that holds nothing else.</summary>
    public static byte[] OrientationSegment(int orientation) => Whole(Marker.App1, ExifOrientation.Write(orientation));

    /// <summary>DQT and SOF. Components are numbered from 1; equal quantization tables are written once.</summary>
    /// <param name="marker">SOF0 or SOF2.</param>
    public void Frame(byte marker, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers)
    {
        var count = frame.Components.Length;
        var tableOf = new byte[count];
        byte written = 0;
        for (var c = 0; c < count; c++)
        {
            var same = Array.FindIndex(requantizers, 0, c, r => r.OutputSteps.AsSpan().SequenceEqual(requantizers[c].OutputSteps));
            tableOf[c] = same >= 0 ? tableOf[same] : written++;
            if (same < 0)
            {
                Segment(Marker.Dqt, [tableOf[c], .. requantizers[c].OutputSteps]);
            }
        }

        var size = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(size, (ushort)frame.HeightPixels);
        BinaryPrimitives.WriteUInt16BigEndian(size.AsSpan(2), (ushort)frame.WidthPixels);
        List<byte> parameters = [8, .. size, (byte)count];
        for (var c = 0; c < count; c++)
        {
            var sampling = c == 0 ? (byte)(layout.LumaH << 4 | layout.LumaV) : (byte)0x11;
            parameters.AddRange([(byte)(c + 1), sampling, tableOf[c]]);
        }

        Segment(marker, [.. parameters]);
    }

    /// <summary>DHT of one table.</summary>
    /// <param name="destination">0 to 3.</param>
    public void Table(SymbolKind kind, int destination, OptimalHuffman table) =>
        // Class (AC or not) in the high half, destination in the low one.
        Segment(Marker.Dht, [(byte)((kind == SymbolKind.Dc ? 0 : 0x10) | destination), .. table.Counts, .. table.Symbols]);

    /// <summary>SOS.</summary>
    /// <param name="components">From 0.</param>
    /// <param name="tables">Destination of a component's tables.</param>
    public void Scan(int[] components, Func<int, int> tables, int first, int last)
    {
        var selectors = components.SelectMany(c => (byte[])[(byte)(c + 1), (byte)(tables(c) * 0x11)]);
        Segment(Marker.Sos, [(byte)components.Length, .. selectors, (byte)first, (byte)last, 0]);
    }

    /// <summary>Appends what was written to <paramref name="output"/> and begins again.</summary>
    public void MoveTo(OutputBuffer output)
    {
        output.Append(CollectionsMarshal.AsSpan(bytes));
        bytes.Clear();
    }

    private void Segment(byte marker, byte[] parameters) => bytes.AddRange(Whole(marker, parameters));

    private static byte[] Whole(byte marker, byte[] parameters)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parameters.Length, MaxSegmentBytes);
        var length = parameters.Length + 2;
        return [0xFF, marker, (byte)(length >> 8), (byte)length, .. parameters];
    }
}
