using System.Numerics;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Requantizes coefficient planes by plain rounding and turns them into the tokens of an interleaved baseline scan (ITU-T T.81, F.1.1.5,
/// F.1.2).
/// Blocks that only fill up the last MCU of a row or column repeat the DC before them, which costs least.
/// </summary>
internal sealed class PlaneEncoder : IPlaneEncoder
{
    private const uint AcPlace = 1u << 24, ChromaPlace = 1u << 25;

    private readonly TokenList tokens;
    private readonly JpegFrame frame;
    private readonly OutputLayout layout;
    private readonly Requantizer[] requantizers;
    private readonly ChromaMerge[] merges;
    private readonly int[] lastDc = new int[3];
    private int used;
    private uint overflow;

    /// <param name="requantizers">By component.</param>
    /// <param name="merges">By component; used where the layout merges.</param>
    public PlaneEncoder(BaselineScan scan, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers, ChromaMerge[] merges)
    {
        (tokens, this.frame, this.layout, this.requantizers, this.merges) = (scan.Tokens, frame, layout, requantizers, merges);
        scan.Begin(frame.Components.Length);
        tokens.Continue(0);
    }

    public JpegTranscodeResult? EncodeRows(CoefficientPlane[] planes, int planeRow, int firstRow, int rows)
    {
        var columns = layout.McusWide(frame);
        Span<uint> chunk = tokens.Last;
        for (var row = firstRow; row < firstRow + rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                if (used > chunk.Length - TokenList.Room)
                {
                    chunk = tokens.Continue(used);
                    used = 0;
                    if (chunk.IsEmpty)
                    {
                        return new JpegTranscodeResult.NotTaken(JpegNotTaken.TooLarge);
                    }
                }

                EncodeLuma(planes[0], row - planeRow, row, column, chunk);
                for (var c = 1; c < frame.Components.Length; c++)
                {
                    EncodeChroma(planes[c], c, row - planeRow, planeRow, column, chunk);
                }
            }
        }

        return null;
    }

    public JpegTranscodeResult? End()
    {
        tokens.End(used);
        return overflow == 0 ? null : new JpegTranscodeResult.NotTaken(JpegNotTaken.CoefficientRange);
    }

    private void EncodeLuma(CoefficientPlane plane, int localRow, int row, int column, Span<uint> chunk)
    {
        var component = frame.Components[0];
        for (var y = 0; y < layout.LumaV; y++)
        {
            for (var x = 0; x < layout.LumaH; x++)
            {
                int blockX = column * layout.LumaH + x, blockY = row * layout.LumaV + y;
                if (blockX >= component.BlocksWide || blockY >= component.BlocksHigh)
                {
                    RepeatDc(chunk);
                    continue;
                }

                var at = ((long)localRow * layout.LumaV + y) * plane.BlocksWide + blockX;
                Encode(plane.Block(at), plane.Marks(at), requantizers[0], 0, 0, chunk);
            }
        }
    }

    [SkipLocalsInit]
    private void EncodeChroma(CoefficientPlane plane, int c, int localRow, int planeRow, int column, Span<uint> chunk)
    {
        if (!layout.Merges)
        {
            var at = (long)localRow * plane.BlocksWide + column;
            Encode(plane.Block(at), plane.Marks(at), requantizers[c], c, ChromaPlace, chunk);
            return;
        }

        var component = frame.Components[c];
        var lastRow = component.BlocksHigh - 1 - planeRow * layout.MergeV;
        Span<short> merged = stackalloc short[64];
        var marks = merges[c].Merge(plane, column * layout.MergeH, localRow * layout.MergeV, component.BlocksWide - 1, lastRow, merged);
        Encode(merged, marks, Requantizer.Unchanged, c, ChromaPlace, chunk);
    }

    private void RepeatDc(Span<uint> chunk)
    {
        tokens.Counts[0]++;
        chunk[used++] = 0;
        tokens.Counts[AcPlace >> 16]++;
        chunk[used++] = AcPlace;
    }

    private void Encode(ReadOnlySpan<short> coefficients, ulong marks, Requantizer requantizer, int component, uint place, Span<uint> chunk)
    {
        var to = used;
        Span<int> counts = tokens.Counts;
        var multipliers = requantizer.Multipliers;
        // DC: the difference to the block before, in as many bits as it has.
        var dc = requantizer.Dc((marks & 1) == 0 ? 0 : coefficients[0]);
        var difference = dc - lastDc[component];
        lastDc[component] = dc;
        var sign = difference >> 31;
        var magnitude = (uint)((difference ^ sign) - sign);
        var size = 32 - BitOperations.LeadingZeroCount(magnitude);
        var excess = magnitude >> 11;
        var symbol = place | (uint)size << 16;
        counts[(int)(symbol >> 16)]++;
        chunk[to++] = symbol | ((magnitude ^ (uint)sign) & ((1u << size) - 1) & 0xFFFF);
        // AC: runs of zeros and what follows them.
        place |= AcPlace;
        marks &= ~1ul;
        var last = 0;
        while (marks != 0)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            int value = coefficients[k];
            sign = value >> 31;
            magnitude = ((uint)((value ^ sign) - sign) * (uint)multipliers[k] + Requantizer.AcBias) >> Requantizer.Shift;
            if (magnitude == 0)
            {
                continue;
            }

            var run = k - last - 1;
            last = k;
            for (; run > 15; run -= 16)
            {
                symbol = place | 0xF0 << 16;
                counts[(int)(symbol >> 16)]++;
                chunk[to++] = symbol;
            }

            size = 32 - BitOperations.LeadingZeroCount(magnitude);
            excess |= magnitude >> 10;
            symbol = place | (uint)((run << 4 | size) & 0xFF) << 16;
            counts[(int)(symbol >> 16)]++;
            chunk[to++] = symbol | ((magnitude ^ (uint)sign) & ((1u << size) - 1) & 0xFFFF);
        }

        if (last < 63)
        {
            counts[(int)(place >> 16)]++;
            chunk[to++] = place;
        }

        overflow |= excess;
        used = to;
    }
}
