namespace Halftone.Codec.Jpeg;

/// <summary>One image on its way: decode into planes, encode from them, choose the shorter of the result and the bare source.</summary>
/// <param name="workspace">Of this thread.</param>
/// <param name="header">Of the image.</param>
/// <param name="q">Quality of the output.</param>
/// <param name="style">Of the output.</param>
/// <param name="encodes">
/// False for an image that libjpeg is to shrink: it is decoded alone. Where data are missing libjpeg goes on with grey, and it takes
/// blocks of more than
/// 64 coefficients for good: what is refused at its own size must not pass at a smaller one. Costs a tenth to a fifth of the shrinking.
/// </param>
internal sealed class JpegTranscoding(JpegWorkspace workspace, JpegHeader header, int q, JpegStyle style, bool encodes)
{
    /// <summary>Coefficients and marks of all blocks of an image whose scans come one after the other: 512 MiB.</summary>
    private const long MaxHeldBlocks = (512L << 20) / (64 * sizeof(short) + sizeof(ulong));

    /// <summary>Below this many bytes of scan data the merged look-ups cost more than they save.</summary>
    private const int MergeLookupsFromBytes = 16 << 10;

    /// <summary>A magnitude that no coefficient has.</summary>
    private const int AboveAll = 1 << 16;

    private readonly JpegFrame frame = header.Frame;
    private readonly DecoderTables tables = header.Tables;
    private readonly OutputPlan plan = new(workspace, header.Frame, q, style);
    private IOutputScans scans = workspace.Baseline;
    private int endOfImage;

    public JpegTranscodeResult Run(ReadOnlySpan<byte> source)
    {
        workspace.Lookups.Reset();
        var isOneScan = !frame.IsProgressive && header.FirstScan.Components.Length == frame.Components.Length;
        var byRows = !encodes || !plan.DependsOnChroma || frame.TotalBlocks > MaxHeldBlocks;
        var refusal = isOneScan && byRows ? TranscodeByRows(source) : TranscodeWhole(source);
        return refusal ?? (encodes ? Assemble(source) : new JpegTranscodeResult.NotTaken(JpegNotTaken.Shrinks));
    }

    /// <summary>All components in one scan: a few rows of blocks are decoded and encoded at a time.</summary>
    private JpegTranscodeResult? TranscodeByRows(ReadOnlySpan<byte> source)
    {
        var scanHeader = header.FirstScan;
        var progression = new Progression(frame);
        if (progression.Enter(scanHeader) is { } reason)
        {
            return new JpegTranscodeResult.NotTaken(reason);
        }

        if (TakeSteps(scanHeader) is { } noSteps)
        {
            return noSteps;
        }

        if (plan.Decide(hasAllCoefficients: false) is { } unfit)
        {
            return unfit;
        }

        if (!workspace.Lookups.Prepare(scanHeader, tables, isProgressive: false))
        {
            return MissingTable();
        }

        var position = workspace.Data.Read(source, header.DataStart, tables.RestartInterval > 0);
        var scan = new SequentialScan(workspace.Data, workspace.Lookups, scanHeader, frame, tables.RestartInterval, LeastKept(scanHeader));
        if (scan.Begin() is { } impossible)
        {
            return impossible;
        }

        if (TranscodeRows(scan, source.Length) is { } fault)
        {
            return fault;
        }

        return FindEnd(source, position);
    }

    private JpegTranscodeResult? TranscodeRows(SequentialScan scan, int sourceBytes)
    {
        var isAlone = frame.Components.Length == 1;
        int lumaRows = isAlone ? 1 : frame.Components[0].V;
        // The least number of source rows that makes whole rows of output.
        var sourceRows = lumaRows % plan.Layout.LumaV == 0 ? 1 : plan.Layout.LumaV;
        var outputRows = sourceRows * lumaRows / plan.Layout.LumaV;
        for (var c = 0; c < frame.Components.Length; c++)
        {
            workspace.Planes[c].Reset(frame.Components[c].PaddedWide, sourceRows * (isAlone ? 1 : frame.Components[c].V));
        }

        (scans, var encoder) = plan.Begin(sourceBytes);
        int done = 0, encoded = 0, all = plan.Layout.McusHigh(frame);
        while (done < scan.Rows)
        {
            var count = Math.Min(sourceRows, scan.Rows - done);
            if (scan.ReadRows(workspace.Planes, 0, count) is { } fault)
            {
                return fault;
            }

            done += count;
            var ready = Math.Min(outputRows, all - encoded);
            if (encodes && encoder.EncodeRows(workspace.Planes, encoded, encoded, ready) is { } refusal)
            {
                return refusal;
            }

            encoded += ready;
            if (done < scan.Rows)
            {
                Array.ForEach(workspace.Planes[..frame.Components.Length], plane => plane.Clear());
            }
        }

        return (encodes ? encoder.End() : null) ?? scan.CheckEnd();
    }

    /// <summary>Several scans: all coefficients are held until the last scan has been read.</summary>
    private JpegTranscodeResult? TranscodeWhole(ReadOnlySpan<byte> source)
    {
        if (frame.TotalBlocks > MaxHeldBlocks)
        {
            return new JpegTranscodeResult.NotTaken(JpegNotTaken.TooLarge);
        }

        for (var c = 0; c < frame.Components.Length; c++)
        {
            workspace.Planes[c].Reset(frame.Components[c].PaddedWide, frame.Components[c].PaddedHigh);
        }

        if (ReadScans(source) is { } fault)
        {
            return fault;
        }

        if (!encodes)
        {
            return null;
        }

        if (plan.Decide(hasAllCoefficients: true) is { } unfit)
        {
            return unfit;
        }

        (scans, var encoder) = plan.Begin(source.Length);
        return encoder.EncodeRows(workspace.Planes, 0, 0, plan.Layout.McusHigh(frame)) ?? encoder.End();
    }

    private JpegTranscodeResult? ReadScans(ReadOnlySpan<byte> source)
    {
        var progression = new Progression(frame);
        var scanHeader = header.FirstScan;
        var position = header.DataStart;
        while (true)
        {
            if (progression.Enter(scanHeader) is { } reason)
            {
                return new JpegTranscodeResult.NotTaken(reason);
            }

            if (TakeSteps(scanHeader) is { } noSteps)
            {
                return noSteps;
            }

            if (!workspace.Lookups.Prepare(scanHeader, tables, frame.IsProgressive))
            {
                return MissingTable();
            }

            position = workspace.Data.Read(source, position, tables.RestartInterval > 0);
            if (ReadScan(scanHeader) is { } fault)
            {
                return fault;
            }

            if (NextScan(source, ref position, progression.IsComplete, out var next) is { } refusal)
            {
                return refusal;
            }

            if (next is null)
            {
                return progression.IsComplete ? null : new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans);
            }

            scanHeader = next;
        }
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
    /// <param name="isComplete">Every coefficient is there: a file that lacks only its end marker is whole.</param>
    private JpegTranscodeResult? NextScan(ReadOnlySpan<byte> source, ref int position, bool isComplete, out ScanHeader? scan)
    {
        scan = null;
        var reader = new MarkerReader(source, position);
        while (true)
        {
            switch (reader.Next())
            {
                case MarkerStatus.Truncated when isComplete && source.Length - position <= 1:
                    endOfImage = source.Length;
                    return null;
                case MarkerStatus.Truncated:
                    return new JpegTranscodeResult.Corrupt("the file ends before its end-of-image marker");
                case MarkerStatus.Garbage:
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers);
            }

            position = reader.Position;
            switch (reader.Marker)
            {
                case Marker.Eoi:
                    endOfImage = position;
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
                    header.Metadata.Drop(reader.Start..reader.Position);
                    break;
                default:
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualMarkers);
            }
        }
    }

    private JpegTranscodeResult? FindEnd(ReadOnlySpan<byte> source, int position)
    {
        var refusal = NextScan(source, ref position, isComplete: true, out var scan);
        return refusal ?? (scan is null ? null : new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans));
    }

    /// <summary>A component's quantization table is the one in force when its first scan starts (ITU-T T.81, B.2.4.1).</summary>
    private JpegTranscodeResult.Corrupt? TakeSteps(ScanHeader scan)
    {
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

        return null;
    }

    /// <summary>
    /// By component, the smallest magnitude that is worth decoding; the AC look-ups are merged accordingly. Components that
    /// share a table share the smaller magnitude.
    /// </summary>
    private int[] LeastKept(ScanHeader scan)
    {
        int[] least = [1, 1, 1];
        if (workspace.Data.TotalBytes < MergeLookupsFromBytes)
        {
            return least;
        }

        Span<int> byTable = stackalloc int[4];
        byTable.Fill(int.MaxValue);
        foreach (var c in scan.Components)
        {
            // Chroma that is merged is not rounded one by one.
            var own = !encodes ? AboveAll : c.Component > 0 && plan.Layout.Merges ? 1 : workspace.Requantizers[c.Component].LeastKept;
            byTable[c.AcTable] = Math.Min(byTable[c.AcTable], own);
        }

        for (var t = 0; t < 4; t++)
        {
            if (byTable[t] is > 1 and < int.MaxValue)
            {
                workspace.Lookups.Ac(t).Merge(byTable[t]);
            }
        }

        foreach (var c in scan.Components)
        {
            least[c.Component] = byTable[c.AcTable];
        }

        return least;
    }

    private JpegTranscodeResult Assemble(ReadOnlySpan<byte> source)
    {
        var metadata = header.Metadata;
        int width = header.ShownWidthPixels, height = header.ShownHeightPixels;
        var copy = new SourceCopy(metadata, source, endOfImage);
        var most = plan.MostBytes(copy.Length);
        var body = scans.Prepare() / 8 < most ? Encode() : [];
        if (body.Length > 0 && body.Length < most)
        {
            return new JpegTranscodeResult.Done(body, width, height, plan.IsLossless);
        }

        return copy.IsSource ? new JpegTranscodeResult.KeepOriginal(width, height)
            : new JpegTranscodeResult.Done(copy.Write(source), width, height, IsLossless: true) { IsCopy = true };
    }

    private byte[] Encode()
    {
        var output = workspace.Output;
        output.Clear();
        workspace.Writer.Start(header.Metadata);
        scans.Write(output, workspace.Writer, frame, plan.Layout, workspace.Requantizers);
        return output.Written.ToArray();
    }

    private static JpegTranscodeResult.Corrupt MissingTable() => new("a scan names a table that was never defined");
}
