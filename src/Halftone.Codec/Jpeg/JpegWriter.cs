using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Jpeg;

/// <summary>Writes the segments of a baseline JPEG in front of its one scan (ITU-T T.81, B.2; JFIF 1.01).</summary>
internal sealed class JpegWriter
{
    /// <summary>A segment's length field counts itself and has 16 bits.</summary>
    private const int MaxSegmentBytes = 65533;

    private readonly List<byte> bytes = new(1024);

    public ReadOnlySpan<byte> Bytes => CollectionsMarshal.AsSpan(bytes);

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

    /// <summary>DQT, SOF0, DHT and SOS. Components are numbered from 1; equal quantization tables are written once.</summary>
    public void Frame(JpegFrame frame, OutputLayout layout, Requantizer[] requantizers, OptimalHuffman[] tables)
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
        List<byte> sof = [8, .. size, (byte)count], sos = [(byte)count];
        for (var c = 0; c < count; c++)
        {
            var sampling = c == 0 ? (byte)(layout.LumaH << 4 | layout.LumaV) : (byte)0x11;
            sof.AddRange([(byte)(c + 1), sampling, tableOf[c]]);
            sos.AddRange([(byte)(c + 1), c == 0 ? (byte)0x00 : (byte)0x11]);
        }
        Segment(Marker.Sof0, [.. sof]);
        for (var t = 0; t < (count == 1 ? 2 : 4); t++)
        {
            // Class (AC or not) in the high half, destination in the low one.
            Segment(Marker.Dht, [(byte)((t & 1) << 4 | t >> 1), .. tables[t].Counts, .. tables[t].Symbols]);
        }
        Segment(Marker.Sos, [.. sos, 0, 63, 0]);
    }

    private void Segment(byte marker, byte[] parameters) => bytes.AddRange(Whole(marker, parameters));

    private static byte[] Whole(byte marker, byte[] parameters)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parameters.Length, MaxSegmentBytes);
        var length = parameters.Length + 2;
        return [0xFF, marker, (byte)(length >> 8), (byte)length, .. parameters];
    }
}
