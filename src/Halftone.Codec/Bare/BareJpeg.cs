using System.Buffers.Binary;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Bare;

/// <summary>
/// Of the application segments of a JPEG only JFIF without a thumbnail, ICC, Adobe's colour marker and the EXIF orientation stay (ITU-T
/// T.81, annex B).
/// </summary>
internal static class BareJpeg
{
    private const int PlainJfifBytes = 14, AdobeBytes = 12;

    private static ReadOnlySpan<byte> XmpPrefix => "http://ns.adobe.com/xap/1.0/\0"u8;

    public static byte[]? Write(ReadOnlySpan<byte> source, ReadOnlySpan<byte> xmp)
    {
        if (!source.StartsWith((ReadOnlySpan<byte>)[0xFF, Marker.Soi]))
        {
            return null;
        }

        var output = new ByteList(source.Length + xmp.Length + 64);
        output.Add(source[..2]);
        var at = 2;
        var hasInserted = false;
        var orientation = Orientation(source);
        while (at + 2 <= source.Length)
        {
            if (source[at] != 0xFF)
            {
                return null;
            }

            var marker = source[at + 1];
            if (marker == 0xFF)
            {
                at++; // fill byte
                continue;
            }

            if (marker == Marker.Eoi)
            {
                output.Add(source.Slice(at, 2));
                return output.ToArray();
            }

            if (at + 4 > source.Length)
            {
                return null;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(source[(at + 2)..]);
            if (length < 2 || at + 2 + length > source.Length)
            {
                return null;
            }

            var segment = source.Slice(at, 2 + length);
            // JFIF has to stand first; what is put in follows it.
            if (!hasInserted && !(marker == Marker.App0 && Stays(marker, segment[4..])))
            {
                Insert(output, orientation, xmp);
                hasInserted = true;
            }

            if (Stays(marker, segment[4..]))
            {
                output.Add(segment);
            }

            at += segment.Length;
            if (marker == Marker.Sos)
            {
                var end = AfterScan(source, at);
                output.Add(source[at..end]);
                at = end;
            }
        }

        return null;
    }

    /// <summary>
    /// Whether an end marker follows the scans. Half of a picture has none either: who asks has to find out whether all of it is there.
    /// </summary>
    public static bool HasEnd(ReadOnlySpan<byte> source)
    {
        if (source.EndsWith((ReadOnlySpan<byte>)[0xFF, Marker.Eoi]))
        {
            return true;
        }

        var reader = new MarkerReader(source, 2);
        while (reader.Next() == MarkerStatus.Found)
        {
            if (reader.Marker == Marker.Eoi)
            {
                return true;
            }

            if (reader.Marker == Marker.Sos)
            {
                reader = new MarkerReader(source, AfterScan(source, reader.Position));
            }
        }

        return false;
    }

    private static bool Stays(byte marker, ReadOnlySpan<byte> body) => marker switch
    {
        Marker.App0 => body.StartsWith("JFIF\0"u8) && body.Length == PlainJfifBytes,
        Marker.App2 => body.StartsWith("ICC_PROFILE\0"u8),
        Marker.App14 => body.StartsWith("Adobe"u8) && body.Length == AdobeBytes,
        _ => marker is not ((>= Marker.App0 and <= Marker.App15) or Marker.Com),
    };

    private static void Insert(ByteList output, int orientation, ReadOnlySpan<byte> xmp)
    {
        if (orientation != 1)
        {
            output.Add(JpegWriter.OrientationSegment(orientation));
        }

        if (xmp.Length > 0 && 2 + XmpPrefix.Length + xmp.Length <= ushort.MaxValue)
        {
            output.Add([0xFF, Marker.App1]);
            output.AddUInt16((ushort)(2 + XmpPrefix.Length + xmp.Length));
            output.Add(XmpPrefix);
            output.Add(xmp);
        }
    }

    private static int Orientation(ReadOnlySpan<byte> source)
    {
        var reader = new MarkerReader(source, 2);
        while (reader.Next() == MarkerStatus.Found && reader.Marker is not (Marker.Sos or Marker.Eoi))
        {
            if (reader.Marker == Marker.App1 && reader.Segment.StartsWith(ExifOrientation.Prefix))
            {
                return ExifOrientation.Read(reader.Segment);
            }
        }

        return 1;
    }

    /// <summary>Index of the next marker that is neither a stuffed 0xFF nor a restart.</summary>
    private static int AfterScan(ReadOnlySpan<byte> source, int at)
    {
        while (at + 1 < source.Length)
        {
            var next = source[at..].IndexOf((byte)0xFF);
            if (next < 0 || at + next + 1 >= source.Length)
            {
                return source.Length;
            }

            at += next;
            if (source[at + 1] is not (0 or (>= Marker.Rst0 and <= Marker.Rst7) or 0xFF))
            {
                return at;
            }

            at += source[at + 1] == 0xFF ? 1 : 2;
        }

        return source.Length;
    }
}
