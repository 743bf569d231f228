using System.Numerics;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Decodes one scan of a progressive JPEG into coefficient planes: the first scan of DC or of a band of AC, or one more bit of
/// either (ITU-T T.81, G.1.2, G.2). <see cref="Progression"/> has seen to it that the scan is due.
/// </summary>
internal sealed class ProgressiveScan(ScanData data, DecoderLookups lookups, ScanHeader header, JpegFrame frame, int restartInterval)
{
    private readonly JpegComponent component = frame.Components[header.Components[0].Component];
    private readonly HuffmanLookup acLookup = lookups.Ac(header.Components[0].AcTable);
    private readonly int[] predictions = new int[4];

    private bool IsInterleaved => header.Components.Length > 1;

    private int UnitsWide => IsInterleaved ? frame.McusWide : component.BlocksWide;

    private int UnitsHigh => IsInterleaved ? frame.McusHigh : component.BlocksHigh;

    /// <summary>Decodes the whole scan; null when all is well.</summary>
    public JpegTranscodeResult? Read(CoefficientPlane[] planes)
    {
        var units = (long)UnitsWide * UnitsHigh;
        var perSegment = restartInterval == 0 ? units : restartInterval;
        var segmentsDue = (units + perSegment - 1) / perSegment;
        if (!data.RestartsInOrder || data.SegmentCount < segmentsDue)
        {
            return new JpegTranscodeResult.Corrupt("restart markers missing or out of order");
        }

        if (data.SegmentCount > segmentsDue)
        {
            return new JpegTranscodeResult.NotTaken(JpegNotTaken.ExtraData);
        }

        var own = planes[header.Components[0].Component];
        for (var s = 0; s < segmentsDue; s++)
        {
            var bits = data.Segment(s);
            Array.Clear(predictions);
            var first = s * perSegment;
            var end = Math.Min(units, first + perSegment);
            var refusal = (header.First, header.High) switch
            {
                (0, 0) => ReadDc(ref bits, planes, first, end),
                (0, _) => RefineDc(ref bits, planes, first, end),
                (_, 0) => ReadAc(ref bits, own, first, end),
                _ => RefineAc(ref bits, own, first, end),
            };
            refusal ??= bits.IsPastEnd ? TooEarly() : bits.BytesLeft > 0 ? new JpegTranscodeResult.NotTaken(JpegNotTaken.ExtraData) : null;
            if (refusal is not null)
            {
                return refusal;
            }
        }

        return null;
    }

    private JpegTranscodeResult? ReadDc(ref BitReader bits, CoefficientPlane[] planes, long unit, long end)
    {
        for (; unit < end; unit++)
        {
            foreach (var scanned in header.Components)
            {
                var lookup = lookups.Dc(scanned.DcTable);
                for (var b = 0; b < BlocksPerUnit(scanned); b++)
                {
                    bits.RefillAlways();
                    var entry = lookup.Single[(int)(bits.Window >> HuffmanLookup.IndexShift)];
                    if ((entry & 63) == 0)
                    {
                        entry = lookup.Long(bits.Window, entry);
                        if (entry == 0)
                        {
                            return BadCode();
                        }
                    }

                    bits.Skip((int)entry);
                    var dc = predictions[scanned.Component] += (int)entry >> 16;
                    if (dc != (short)dc || dc << header.Low != (short)(dc << header.Low))
                    {
                        return new JpegTranscodeResult.NotTaken(JpegNotTaken.CoefficientRange);
                    }

                    var plane = planes[scanned.Component];
                    var at = BlockIndex(scanned, plane, unit, b);
                    plane.Block(at)[0] = (short)(dc << header.Low);
                    plane.Marks(at) |= 1;
                }
            }

            if (bits.IsPastEnd)
            {
                return TooEarly();
            }
        }

        return null;
    }

    private JpegTranscodeResult? RefineDc(ref BitReader bits, CoefficientPlane[] planes, long unit, long end)
    {
        for (; unit < end; unit++)
        {
            foreach (var scanned in header.Components)
            {
                var plane = planes[scanned.Component];
                for (var b = 0; b < BlocksPerUnit(scanned); b++)
                {
                    bits.Refill();
                    var at = BlockIndex(scanned, plane, unit, b);
                    if ((plane.Marks(at) & 1) == 0)
                    {
                        return new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans);
                    }

                    plane.Block(at)[0] |= (short)(bits.Take(1) << header.Low);
                }
            }

            if (bits.IsPastEnd)
            {
                return TooEarly();
            }
        }

        return null;
    }

    private JpegTranscodeResult? ReadAc(ref BitReader bits, CoefficientPlane plane, long unit, long end)
    {
        var reader = bits; // In registers for the run.
        var table = acLookup.Single;
        int last = header.Last, low = header.Low;
        for (; unit < end; unit++)
        {
            var at = unit / component.BlocksWide * plane.BlocksWide + unit % component.BlocksWide;
            var coefficients = plane.Block(at);
            ulong mark = 0;
            for (var k = header.First - 1; k < last;)
            {
                reader.Refill();
                var entry = table[(int)(reader.Window >> HuffmanLookup.IndexShift)];
                if ((entry & 63) == 0)
                {
                    entry = acLookup.Long(reader.Window, entry);
                    if (entry == 0)
                    {
                        return BadCode();
                    }
                }

                reader.Skip((int)entry);
                var value = (int)entry >> 16;
                k += (int)(entry >> 6 & 255);
                if (k > last)
                {
                    if (k < HuffmanLookup.EndAdvance)
                    {
                        return value == 0 ? new JpegTranscodeResult.NotTaken(JpegNotTaken.UnusualScans) : BandOverrun();
                    }

                    // The end of this block and of as many more as follow.
                    reader.Refill();
                    unit += (1 << value) - 1 + (value == 0 ? 0 : reader.Take(value));
                    break;
                }

                coefficients[k] = (short)(value << low);
                mark |= (value != 0 ? 1ul : 0) << k;
            }

            plane.Marks(at) |= mark;
            if (reader.IsPastEnd)
            {
                return TooEarly();
            }
        }

        bits = reader;
        return unit > end ? BandOverrun() : null;
    }

    private JpegTranscodeResult.Corrupt? RefineAc(ref BitReader bits, CoefficientPlane plane, long unit, long end)
    {
        var reader = bits; // In registers for the run.
        var table = acLookup.Single;
        int last = header.Last, low = header.Low;
        var band = (ulong.MaxValue >> (63 - last)) & (ulong.MaxValue << header.First);
        var column = (int)(unit % component.BlocksWide);
        var at = unit / component.BlocksWide * plane.BlocksWide + column;
        long blocksToEnd = 0;
        for (; unit < end; unit++)
        {
            var coefficients = plane.Block(at);
            // Coefficients that are already there get one correction bit each as the index passes them; runs count the others.
            ulong there = plane.Marks(at) & band, absent = ~there & band;
            for (var k = header.First; blocksToEnd == 0 && k <= last;)
            {
                reader.Refill();
                var entry = table[(int)(reader.Window >> HuffmanLookup.IndexShift)];
                if ((entry & 63) == 0)
                {
                    entry = acLookup.Long(reader.Window, entry);
                    if (entry == 0)
                    {
                        return BadCode();
                    }
                }

                reader.Skip((int)entry);
                var value = (int)entry >> 16;
                var advance = (int)(entry >> 6 & 255);
                if (advance >= HuffmanLookup.EndAdvance)
                {
                    reader.Refill();
                    blocksToEnd = (1 << value) + (value == 0 ? 0 : reader.Take(value));
                    break;
                }

                if (value is < -1 or > 1)
                {
                    return new JpegTranscodeResult.Corrupt("a refinement by more than one bit");
                }

                for (var run = advance; run > 1; run--)
                {
                    absent &= absent - 1;
                }

                if (absent == 0)
                {
                    if (value != 0)
                    {
                        return BandOverrun();
                    }

                    break;
                }

                var passed = there & ((absent & (0 - absent)) - 1);
                Correct(ref reader, coefficients, passed, low);
                there &= ~passed;
                k = BitOperations.TrailingZeroCount(absent);
                if (value != 0)
                {
                    coefficients[k] = (short)(value << low);
                    plane.Marks(at) |= 1ul << k;
                }

                absent &= absent - 1;
                k++;
            }

            if (there != 0)
            {
                Correct(ref reader, coefficients, there, low);
            }

            if (blocksToEnd > 0)
            {
                blocksToEnd--;
            }

            if (reader.IsPastEnd)
            {
                return TooEarly();
            }

            at++;
            if (++column == component.BlocksWide)
            {
                column = 0;
                at += plane.BlocksWide - component.BlocksWide;
            }
        }

        bits = reader;
        return blocksToEnd > 0 ? BandOverrun() : null;
    }

    /// <summary>Reads one bit for each marked coefficient and, where it is set, moves the coefficient away from zero (G.1.2.3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Correct(ref BitReader reader, Span<short> coefficients, ulong marks, int low)
    {
        while (marks != 0)
        {
            reader.Refill();
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            int value = coefficients[k], sign = value >> 31, step = (int)(reader.Window >> 63) << low;
            coefficients[k] = (short)(value + ((step ^ sign) - sign));
            reader.Skip(1);
        }
    }

    private int BlocksPerUnit(ScanComponent scanned) =>
        IsInterleaved ? frame.Components[scanned.Component].H * frame.Components[scanned.Component].V : 1;

    /// <summary>Where the b-th block of a unit stands in its plane (A.2.2, A.2.3).</summary>
    private long BlockIndex(ScanComponent scanned, CoefficientPlane plane, long unit, int b)
    {
        long row = unit / UnitsWide, column = unit % UnitsWide;
        if (!IsInterleaved)
        {
            return row * plane.BlocksWide + column;
        }

        var c = frame.Components[scanned.Component];
        return (row * c.V + b / c.H) * plane.BlocksWide + column * c.H + b % c.H;
    }

    private static JpegTranscodeResult.Corrupt BadCode() => new("a Huffman code that is not in its table");

    private static JpegTranscodeResult.Corrupt BandOverrun() => new("a run past the end of its band or scan");

    private static JpegTranscodeResult.Corrupt TooEarly() => new("the scan's data end too early");
}
