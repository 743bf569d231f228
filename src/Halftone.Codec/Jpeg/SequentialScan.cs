using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Decodes a scan of a sequential JPEG (baseline or extended, Huffman) into coefficient planes, some rows of MCUs at a time, so
/// that a caller who needs no more than two rows together keeps them in the processor's cache (ITU-T T.81, F.2.1, F.2.2).
/// </summary>
/// <param name="data">The scan's data, already split into restart intervals.</param>
/// <param name="lookups">Prepared for the scan's tables.</param>
/// <param name="leastKept">
/// By component of the frame, the smallest magnitude worth storing: smaller AC coefficients will round to zero and may be left
/// out. 1 stores all.
/// </param>
internal sealed class SequentialScan(
    ScanData data, DecoderLookups lookups, ScanHeader header, JpegFrame frame, int restartInterval, int[] leastKept)
{
    private readonly int[] predictions = new int[4];
    private readonly Block[] blocks = new Block[ScanHeader.MaxBlocksPerMcu];
    private BitPosition position;
    private long bytesLeft;
    private int segment = -1;
    private long unitsLeftInSegment;

    /// <summary>The only component's MCU is one block, and only blocks with pixels are coded (A.2.2).</summary>
    private readonly JpegComponent? alone = header.Components.Length == 1 ? frame.Components[header.Components[0].Component] : null;

    private int UnitsWide => alone?.BlocksWide ?? frame.McusWide;

    /// <summary>Rows of MCUs; in a scan of one component, rows of its blocks.</summary>
    public int Rows => alone?.BlocksHigh ?? frame.McusHigh;

    /// <summary>Looks whether the data can hold the scan at all; null when it can.</summary>
    public JpegTranscodeResult? Begin()
    {
        var units = (long)UnitsWide * Rows;
        var segmentsDue = restartInterval == 0 ? 1 : (units + restartInterval - 1) / restartInterval;
        // No block has less than one bit for DC and one for the end of the block.
        if (units * (alone is null ? frame.BlocksPerMcu : 1) / 4 > data.TotalBytes)
        {
            return new JpegTranscodeResult.Corrupt("the scan's data are shorter than its blocks need");
        }

        if (!data.RestartsInOrder || data.SegmentCount < segmentsDue)
        {
            return new JpegTranscodeResult.Corrupt("restart markers missing or out of order");
        }

        return data.SegmentCount > segmentsDue ? new JpegTranscodeResult.NotTaken(JpegNotTaken.ExtraData) : null;
    }

    /// <summary>
    /// Decodes the next <paramref name="rows"/> rows into the planes from their row <paramref name="firstRow"/> (counted in MCU
    /// rows) on. Null when all is well. The planes' marks must be clear where blocks are written.
    /// </summary>
    public JpegTranscodeResult? ReadRows(CoefficientPlane[] planes, int firstRow, int rows)
    {
        for (var row = firstRow; row < firstRow + rows; row++)
        {
            var blockCount = Place(planes, row);
            for (var column = 0; column < UnitsWide;)
            {
                if (unitsLeftInSegment == 0)
                {
                    StartSegment();
                }

                var count = (int)Math.Min(unitsLeftInSegment, UnitsWide - column);
                if (Decode(blockCount, count) is { } fault)
                {
                    return fault;
                }

                column += count;
                unitsLeftInSegment -= count;
                // A byte that is left over belongs to nothing: either the data are broken or another decoder knows better.
                if (unitsLeftInSegment == 0 && bytesLeft > 0)
                {
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.ExtraData);
                }
            }
        }

        return null;
    }

    /// <summary>After the last row: the last restart interval had no data left. Null when all is well.</summary>
    public JpegTranscodeResult? CheckEnd() =>
        bytesLeft > 0 ? new JpegTranscodeResult.NotTaken(JpegNotTaken.ExtraData) : null;

    private void StartSegment()
    {
        position = data.Segment(++segment).Position;
        Array.Clear(predictions);
        unitsLeftInSegment = restartInterval == 0 ? long.MaxValue : restartInterval;
    }

    /// <summary>Where the blocks of the first MCU of a row lie, in the order of the scan (A.2.3); returns their number.</summary>
    private int Place(CoefficientPlane[] planes, int row)
    {
        var count = 0;
        foreach (var scanned in header.Components)
        {
            var component = frame.Components[scanned.Component];
            var plane = planes[scanned.Component];
            int h = alone is null ? component.H : 1, v = alone is null ? component.V : 1;
            for (var y = 0; y < v; y++)
            {
                for (var x = 0; x < h; x++)
                {
                    blocks[count++] = new Block
                    {
                        Plane = plane,
                        Index = ((long)row * v + y) * plane.BlocksWide + x,
                        Step = h,
                        Component = scanned.Component,
                        Dc = lookups.Dc(scanned.DcTable),
                        Ac = lookups.Ac(scanned.AcTable),
                        AcEntries = leastKept[scanned.Component] > 1
                            ? lookups.Ac(scanned.AcTable).Merged
                            : lookups.Ac(scanned.AcTable).Single,
                    };
                }
            }
        }

        return count;
    }

    [SkipLocalsInit]
    private JpegTranscodeResult? Decode(int blockCount, int mcuCount)
    {
        var bits = data.Resume(position);
        for (; mcuCount > 0; mcuCount--)
        {
            foreach (ref var block in blocks.AsSpan(0, blockCount))
            {
                bits.RefillAlways();
                var entry = block.Dc.Single[(int)(bits.Window >> HuffmanLookup.IndexShift)];
                if ((entry & 63) == 0)
                {
                    entry = block.Dc.Long(bits.Window, entry);
                    if (entry == 0)
                    {
                        return BadCode();
                    }
                }

                bits.Skip((int)entry);
                var dc = predictions[block.Component] += (int)entry >> 16;
                if (dc != (short)dc)
                {
                    return new JpegTranscodeResult.NotTaken(JpegNotTaken.CoefficientRange);
                }

                var coefficients = block.Plane.Block(block.Index);
                ReadOnlySpan<uint> entries = block.AcEntries;
                coefficients[0] = (short)dc;
                ulong mark = 1;
                var k = 0;
                while (true)
                {
                    bits.Refill();
                    entry = entries[(int)(bits.Window >> HuffmanLookup.IndexShift)];
                    if ((entry & 63) == 0)
                    {
                        entry = block.Ac.Long(bits.Window, entry);
                    }

                    var next = k + (int)(entry >> 6 & 255);
                    if (next >= 63)
                    {
                        // The block is done at index 63 or by an end-of-block symbol, which must not stand after index 63. Else the
                        // entry merged symbols of which some belong to the next block.
                        if (next != 63 && (uint)(next - HuffmanLookup.EndAdvance) > 62)
                        {
                            entry = block.Ac.First(bits.Window);
                            next = k + (int)(entry >> 6 & 255);
                            if (next is > 63 and < HuffmanLookup.EndAdvance)
                            {
                                // A run of 16 zeros past the end harms nothing, and decoders differ about it.
                                return (int)entry >> 16 == 0 ? new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans)
                                    : new JpegTranscodeResult.Corrupt("a block with more than 64 coefficients");
                            }
                        }

                        bits.Skip((int)entry);
                        if (next >= HuffmanLookup.EndAdvance)
                        {
                            break;
                        }
                    }
                    else
                    {
                        if (next == k)
                        {
                            return BadCode();
                        }

                        bits.Skip((int)entry);
                    }

                    var value = (int)entry >> 16;
                    coefficients[next] = (short)value;
                    mark |= (value != 0 ? 1ul : 0) << next;
                    k = next;
                    if (k == 63)
                    {
                        break;
                    }
                }

                block.Plane.Marks(block.Index) = mark;
                block.Index += block.Step;
            }

            if (bits.IsPastEnd)
            {
                return new JpegTranscodeResult.Corrupt("the scan's data end too early");
            }
        }

        position = bits.Position;
        bytesLeft = bits.BytesLeft;
        return null;
    }

    private static JpegTranscodeResult.Corrupt BadCode() => new("a Huffman code that is not in its table");

    private struct Block
    {
        public CoefficientPlane Plane;
        public long Index;
        public int Step, Component;
        public HuffmanLookup Dc, Ac;
        public uint[] AcEntries;
    }
}
