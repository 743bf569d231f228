using System.Numerics;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Requantizes coefficient planes and turns them into the tokens of an interleaved baseline scan (ITU-T T.81, F.1.1.5, F.1.2).
/// Blocks that only fill up the last MCU of a row or column repeat the DC before them, which costs least.
/// </summary>
internal sealed unsafe class PlaneEncoder
{
    private const uint AcPlace = 1u << 24, ChromaPlace = 1u << 25;

    private readonly TokenList tokens;
    private readonly JpegFrame frame;
    private readonly OutputLayout layout;
    private readonly Requantizer[] requantizers;
    private readonly ChromaMerge[] merges;
    private readonly int* counts;
    private readonly int[] lastDc = new int[3];
    private uint* token, limit;
    private uint overflow;

    /// <param name="requantizers">By component.</param>
    /// <param name="merges">By component; used where the layout merges.</param>
    public PlaneEncoder(TokenList tokens, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers, ChromaMerge[] merges)
    {
        (this.tokens, this.frame, this.layout, this.requantizers, this.merges) = (tokens, frame, layout, requantizers, merges);
        counts = tokens.CountsPointer;
        token = tokens.Start(out limit);
    }

    /// <summary>Encodes rows of output MCUs.</summary>
    /// <param name="planes">Luma and chroma; their first row of blocks belongs to output row <paramref name="planeRow"/>.</param>
    /// <param name="firstRow">First row of output MCUs, counted in the image.</param>
    public JpegTranscodeResult? EncodeRows(CoefficientPlane[] planes, int planeRow, int firstRow, int rows)
    {
        var columns = layout.McusWide(frame);
        for (var row = firstRow; row < firstRow + rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                if (token > limit)
                {
                    token = tokens.Continue(token, out limit);
                    if (token == null)
                    {
                        return new JpegTranscodeResult.NotTaken(JpegNotTaken.TooLarge);
                    }
                }
                EncodeLuma(planes[0], row - planeRow, row, column);
                for (var c = 1; c < frame.Components.Length; c++)
                {
                    EncodeChroma(planes[c], c, row - planeRow, planeRow, column);
                }
            }
        }
        return overflow == 0 ? null : new JpegTranscodeResult.NotTaken(JpegNotTaken.CoefficientRange);
    }

    /// <summary>Ends the token list.</summary>
    public void End() => tokens.End(token);

    private void EncodeLuma(CoefficientPlane plane, int localRow, int row, int column)
    {
        var component = frame.Components[0];
        for (var y = 0; y < layout.LumaV; y++)
        {
            for (var x = 0; x < layout.LumaH; x++)
            {
                int blockX = column * layout.LumaH + x, blockY = row * layout.LumaV + y;
                if (blockX >= component.BlocksWide || blockY >= component.BlocksHigh)
                {
                    RepeatDc();
                    continue;
                }
                var at = ((long)localRow * layout.LumaV + y) * plane.BlocksWide + blockX;
                Encode(plane.Coefficients + at * 64, plane.Marks[at], requantizers[0], 0, 0);
            }
        }
    }

    [SkipLocalsInit]
    private void EncodeChroma(CoefficientPlane plane, int c, int localRow, int planeRow, int column)
    {
        if (!layout.Merges)
        {
            var at = (long)localRow * plane.BlocksWide + column;
            Encode(plane.Coefficients + at * 64, plane.Marks[at], requantizers[c], c, ChromaPlace);
            return;
        }
        var component = frame.Components[c];
        var lastRow = component.BlocksHigh - 1 - planeRow * layout.MergeV;
        var merged = stackalloc short[64];
        var marks = merges[c].Merge(plane, column * layout.MergeH, localRow * layout.MergeV, component.BlocksWide - 1, lastRow, merged);
        Encode(merged, marks, Requantizer.Unchanged, c, ChromaPlace);
    }

    private void RepeatDc()
    {
        counts[0]++;
        *token++ = 0;
        counts[AcPlace >> 16]++;
        *token++ = AcPlace;
    }

    private void Encode(short* coefficients, ulong marks, Requantizer requantizer, int component, uint place)
    {
        var to = token;
        var multipliers = requantizer.Multipliers;
        // DC: the difference to the block before, in as many bits as it has.
        int value = (marks & 1) == 0 ? 0 : coefficients[0], sign = value >> 31;
        var dc = (int)(((uint)((value ^ sign) - sign) * (uint)multipliers[0] + Requantizer.DcBias) >> Requantizer.Shift);
        dc = (dc ^ sign) - sign;
        if (value >= requantizer.WhiteSource)
        {
            dc = Math.Max(dc, requantizer.WhiteOutput);
        }
        else if (value <= requantizer.BlackSource)
        {
            dc = Math.Min(dc, requantizer.BlackOutput);
        }
        var difference = dc - lastDc[component];
        lastDc[component] = dc;
        sign = difference >> 31;
        var magnitude = (uint)((difference ^ sign) - sign);
        var size = 32 - BitOperations.LeadingZeroCount(magnitude);
        var excess = magnitude >> 11;
        var symbol = place | (uint)size << 16;
        counts[symbol >> 16]++;
        *to++ = symbol | ((magnitude ^ (uint)sign) & ((1u << size) - 1) & 0xFFFF);
        // AC: runs of zeros and what follows them.
        place |= AcPlace;
        marks &= ~1ul;
        var last = 0;
        while (marks != 0)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            value = coefficients[k];
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
                counts[symbol >> 16]++;
                *to++ = symbol;
            }
            size = 32 - BitOperations.LeadingZeroCount(magnitude);
            excess |= magnitude >> 10;
            symbol = place | (uint)((run << 4 | size) & 0xFF) << 16;
            counts[symbol >> 16]++;
            *to++ = symbol | ((magnitude ^ (uint)sign) & ((1u << size) - 1) & 0xFFFF);
        }
        if (last < 63)
        {
            counts[place >> 16]++;
            *to++ = place;
        }
        overflow |= excess;
        token = to;
    }
}
