namespace Halftone.Codec.Jpeg;

/// <summary>Everything in front of the first scan's data.</summary>
internal sealed class JpegHeader
{
    private JpegHeader(JpegFrame frame, DecoderTables tables, JpegMetadata metadata, ScanHeader firstScan, int dataStart) =>
        (Frame, Tables, Metadata, FirstScan, DataStart) = (frame, tables, metadata, firstScan, dataStart);

    public JpegFrame Frame { get; }

    /// <summary>As they are when the first scan starts.</summary>
    public DecoderTables Tables { get; }

    public JpegMetadata Metadata { get; }

    public ScanHeader FirstScan { get; }

    /// <summary>Index of the first scan's data in the source.</summary>
    public int DataStart { get; }

    /// <summary>Width as shown, after orientation.</summary>
    public int ShownWidthPixels => IsOnItsSide ? Frame.HeightPixels : Frame.WidthPixels;

    /// <summary>Height as shown, after orientation.</summary>
    public int ShownHeightPixels => IsOnItsSide ? Frame.WidthPixels : Frame.HeightPixels;

    private bool IsOnItsSide => Metadata.Orientation >= 5;

    /// <summary>Reads the header; null with the cause where the file is not for this way.</summary>
    public static JpegHeader? Read(ReadOnlySpan<byte> source, long maxPixels, out JpegTranscodeResult? refusal)
    {
        if (!source.StartsWith((ReadOnlySpan<byte>)[0xFF, Marker.Soi]))
        {
            refusal = new JpegTranscodeResult.Corrupt("no start of image");
            return null;
        }

        JpegFrame? frame = null;
        var tables = new DecoderTables();
        var metadata = new JpegMetadata();
        var reader = new MarkerReader(source, 2);
        while (true)
        {
            refusal = reader.Next() switch
            {
                MarkerStatus.Truncated => new JpegTranscodeResult.Corrupt("the file ends within its header"),
                MarkerStatus.Garbage => new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers),
                _ => null,
            };
            if (refusal is null)
            {
                switch (reader.Marker)
                {
                    case Marker.Sof0 or Marker.Sof1 or Marker.Sof2:
                        frame = frame is null ? ReadFrame(reader.Marker, reader.Segment, maxPixels, out refusal) : null;
                        refusal ??= frame is null ? new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers) : null;
                        break;
                    case Marker.Sos:
                        return Finish(reader, frame, tables, metadata, out refusal);
                    case Marker.Dqt or Marker.Dht or Marker.Dri:
                        refusal = tables.Read(reader.Marker, reader.Segment);
                        break;
                    case >= Marker.App0 and <= Marker.App15 or Marker.Com:
                        metadata.Read(reader.Marker, reader.Segment, reader.Start..reader.Position);
                        break;
                    default:
                        refusal = Unserved(reader.Marker);
                        break;
                }
            }

            if (refusal is not null)
            {
                return null;
            }
        }
    }

    private static JpegFrame? ReadFrame(byte marker, ReadOnlySpan<byte> segment, long maxPixels, out JpegTranscodeResult? refusal)
    {
        var frame = JpegFrame.Read(marker, segment, out refusal);
        if (frame is not null && (long)frame.WidthPixels * frame.HeightPixels > maxPixels)
        {
            refusal = new JpegTranscodeResult.TooManyPixels(frame.WidthPixels, frame.HeightPixels);
        }

        return frame;
    }

    private static JpegHeader? Finish(
        MarkerReader reader, JpegFrame? frame, DecoderTables tables, JpegMetadata metadata, out JpegTranscodeResult? refusal)
    {
        if (frame is null)
        {
            refusal = new JpegTranscodeResult.Corrupt("a scan before the frame header");
            return null;
        }

        var scan = ScanHeader.Read(reader.Segment, frame);
        var reason = scan is null
            ? JpegNotTaken.UnusualScans
            : IsRgb(frame, metadata) ? JpegNotTaken.Rgb : metadata.Judge(frame.Components.Length);
        refusal = reason is { } why ? new JpegTranscodeResult.NotTaken(why) : null;
        return refusal is null ? new JpegHeader(frame, tables, metadata, scan!, reader.Position) : null;
    }

    /// <summary>
    /// Any sign of RGB sends the file to the general decoder, which knows which of two contradicting signs counts (JFIF over
    /// Adobe over the ids, in libjpeg).
    /// </summary>
    private static bool IsRgb(JpegFrame frame, JpegMetadata metadata) =>
        frame.Components.Length == 3
        && (metadata.AdobeTransform is not (null or 1) || frame.Components.Select(c => c.Id).SequenceEqual("RGB"u8.ToArray()));

    private static JpegTranscodeResult.NotTaken Unserved(byte marker) => new(marker switch
    {
        Marker.Sof3 => JpegNotTaken.Lossless,
        >= Marker.Sof9 and <= Marker.Sof15 => JpegNotTaken.Arithmetic,
        >= Marker.Sof5 and <= Marker.Sof7 or Marker.Dhp or Marker.Exp => JpegNotTaken.Hierarchical,
        _ => JpegNotTaken.UnusualMarkers,
    });
}
