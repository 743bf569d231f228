using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>Decodes a JPEG to its coefficients and hands them on, by rows of MCUs where one scan has all components.</summary>
/// <param name="workspace">Of this thread.</param>
/// <param name="header">Of the image.</param>
/// <param name="samples">Takes the coefficients.</param>
internal sealed class JpegCoefficients(JpegWorkspace workspace, JpegHeader header, JpegSamples samples)
{
    /// <summary>Coefficients and marks of all blocks of an image whose scans come one after the other: 512 MiB.</summary>
    private const long MaxHeldBlocks = (512L << 20) / (64 * sizeof(short) + sizeof(ulong));

    private readonly JpegFrame frame = header.Frame;
    private readonly DecoderTables tables = header.Tables;
    private readonly Progression progression = new(header.Frame);

    /// <summary>Reads the whole file; null when all is well.</summary>
    public JpegTranscodeResult? Read(ReadOnlySpan<byte> source)
    {
        workspace.Lookups.Reset();
        return !frame.IsProgressive && header.FirstScan.Components.Length == frame.Components.Length ? ReadByRows(source)
            : ReadWhole(source);
    }

    private JpegTranscodeResult? ReadByRows(ReadOnlySpan<byte> source)
    {
        var scanHeader = header.FirstScan;
        if (Enter(scanHeader) is { } refusal)
        {
            return refusal;
        }

        var position = workspace.Data.Read(source, header.DataStart, tables.RestartInterval > 0);
        var scan = new SequentialScan(workspace.Data, workspace.Lookups, scanHeader, frame, tables.RestartInterval, [1, 1, 1]);
        if (scan.Begin() is { } impossible)
        {
            return impossible;
        }

        Reset(mcuRows: 1);
        for (var row = 0; row < scan.Rows; row++)
        {
            if (scan.ReadRows(workspace.Planes, 0, 1) is { } fault)
            {
                return fault;
            }

            samples.TakeRow(workspace.Planes, 0, row);
            Array.ForEach(workspace.Planes[..frame.Components.Length], plane => plane.Clear());
        }

        return scan.CheckEnd() ?? NextScan(source, ref position, out scanHeader!)
            ?? (scanHeader is null ? null : new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans));
    }

    private JpegTranscodeResult? ReadWhole(ReadOnlySpan<byte> source)
    {
        if (frame.TotalBlocks > MaxHeldBlocks)
        {
            return new JpegTranscodeResult.NotTaken(JpegNotTaken.TooLarge);
        }

        Reset(frame.McusHigh);
        var position = header.DataStart;
        for (var scanHeader = header.FirstScan; scanHeader is not null;)
        {
            if (Enter(scanHeader) is { } refusal)
            {
                return refusal;
            }

            position = workspace.Data.Read(source, position, tables.RestartInterval > 0);
            if ((ReadScan(scanHeader) ?? NextScan(source, ref position, out scanHeader)) is { } fault)
            {
                return fault;
            }
        }

        if (!progression.IsComplete)
        {
            return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans);
        }

        for (var row = 0; row < frame.McusHigh; row++)
        {
            samples.TakeRow(workspace.Planes, row, row);
        }

        return null;
    }

    private void Reset(int mcuRows)
    {
        foreach (var (component, plane) in frame.Components.Zip(workspace.Planes))
        {
            plane.Reset(component.PaddedWide, mcuRows * (frame.Components.Length == 1 ? 1 : component.V));
        }
    }

    /// <summary>A component's quantization table is the one in force when its first scan starts (ITU-T T.81, B.2.4.1).</summary>
    private JpegTranscodeResult? Enter(ScanHeader scan)
    {
        if (progression.Enter(scan) is { } reason)
        {
            return new JpegTranscodeResult.NotTaken(reason);
        }

        foreach (var scanned in scan.Components)
        {
            var component = frame.Components[scanned.Component];
            if (component.Steps.Length == 0)
            {
                if (tables.Steps[component.TableIndex] is not { } steps)
                {
                    return MissingTable();
                }

                component.Steps = steps;
            }
        }

        return workspace.Lookups.Prepare(scan, tables, frame.IsProgressive) ? null : MissingTable();
    }

    private JpegTranscodeResult? ReadScan(ScanHeader scanHeader)
    {
        if (frame.IsProgressive)
        {
            return new ProgressiveScan(workspace.Data, workspace.Lookups, scanHeader, frame, tables.RestartInterval).Read(workspace.Planes);
        }

        var scan = new SequentialScan(workspace.Data, workspace.Lookups, scanHeader, frame, tables.RestartInterval, [1, 1, 1]);
        return scan.Begin() ?? scan.ReadRows(workspace.Planes, 0, scan.Rows) ?? scan.CheckEnd();
    }

    /// <summary>Reads on to the next scan, or to the end of the image, where <paramref name="scan"/> is null.</summary>
    private JpegTranscodeResult? NextScan(ReadOnlySpan<byte> source, ref int position, out ScanHeader? scan)
    {
        scan = null;
        var reader = new MarkerReader(source, position);
        while (true)
        {
            switch (reader.Next())
            {
                case MarkerStatus.Truncated:
                    return new JpegTranscodeResult.Corrupt("the file ends before its end-of-image marker");
                case MarkerStatus.Garbage:
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers);
            }

            position = reader.Position;
            switch (reader.Marker)
            {
                case Marker.Eoi:
                    return null;
                case Marker.Sos:
                    scan = ScanHeader.Read(reader.Segment, frame);
                    return scan is null ? new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans) : null;
                case Marker.Dqt or Marker.Dht or Marker.Dri:
                    if (tables.Read(reader.Marker, reader.Segment) is { } broken)
                    {
                        return broken;
                    }

                    break;
                case >= Marker.App0 and <= Marker.App15 or Marker.Com:
                    break;
                default:
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers);
            }
        }
    }

    private static JpegTranscodeResult.Corrupt MissingTable() => new("a scan names a table that was never defined");
}
