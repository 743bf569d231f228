namespace Halftone.Codec.Jpeg;

/// <summary>One scan of a progressive file: the DC coefficients of one component, or a band of its AC coefficients (ITU-T T.81, G.1.2).</summary>
internal sealed class OutputScan
{
    /// <summary>Blocks that one symbol can end (G.1.2.2).</summary>
    private const int LongestEndRun = 32767;

    private readonly TokenList tokens;
    private readonly EntropyEncoder encoder;
    private int used, endRun, lastDc;
    private bool hasOverflow;

    /// <param name="first">First index in zigzag order; 0 for DC alone.</param>
    public OutputScan(TokenChunks memory, int component, int first, int last)
    {
        (Component, Band) = (component, new Band(first, last, new SymbolRates()));
        tokens = new TokenList(memory, 1);
        Kind = first == 0 ? SymbolKind.Dc : SymbolKind.ProgressiveAc;
        encoder = new EntropyEncoder(Kind);
    }

    public int Component { get; }

    public Band Band { get; }

    private SymbolKind Kind { get; }

    /// <summary>Forgets the last image.</summary>
    public void Clear()
    {
        tokens.Clear();
        (used, endRun, lastDc, hasOverflow) = (0, 0, 0, false);
        Band.Rates.Reset(isProgressive: true);
    }

    /// <summary>Makes room for an MCU; false when the image may have no more memory.</summary>
    public bool Reserve()
    {
        if (tokens.ChunkCount > 0 && used <= TokenChunks.Tokens - TokenList.Room)
        {
            return true;
        }
        var hasRoom = !tokens.Continue(used).IsEmpty;
        used = 0;
        return hasRoom;
    }

    public void AddDc(int dc)
    {
        var bits = ValueBits.Of(dc - lastDc, out var size);
        lastDc = dc;
        hasOverflow |= size > ValueBits.MaxDcSize;
        Add(size & 0xFF, bits);
    }

    /// <summary>Takes the coefficients from <paramref name="first"/> up to <paramref name="end"/> of a block, which are those of the band.</summary>
    public void AddAc(BlockLevels block, int first, int end)
    {
        var places = block.Places;
        ReadOnlySpan<int> levels = block.Levels;
        var last = Band.First - 1;
        for (var i = first; i < end; i++)
        {
            if (levels[i] == 0)
            {
                continue;
            }
            FlushEndRun();
            var run = places[i] - last - 1;
            last = places[i];
            for (; run > 15; run -= 16)
            {
                Add(0xF0, 0);
            }
            var bits = ValueBits.Of(levels[i], out var size);
            hasOverflow |= size > ValueBits.MaxAcSize;
            Add((run << 4 | size) & 0xFF, bits);
        }
        if (last < Band.Last && ++endRun == LongestEndRun)
        {
            FlushEndRun();
        }
    }

    /// <summary>Takes the symbols so far as what symbols will cost.</summary>
    public void UpdateRates() => Band.Rates.Update(tokens.Counts, isProgressive: true);

    /// <summary>All blocks are there. False where one has a value that 8-bit images cannot have.</summary>
    public bool End()
    {
        FlushEndRun();
        tokens.End(used);
        return !hasOverflow;
    }

    /// <summary>Builds the Huffman table; returns the length of the data in bits.</summary>
    public long Prepare() => encoder.Prepare(tokens.Counts);

    public void Write(OutputBuffer output, JpegWriter writer)
    {
        writer.Table(Kind, 0, encoder.Tables[0]);
        writer.Scan([Component], _ => 0, Band.First, Band.Last);
        writer.MoveTo(output);
        encoder.Encode(tokens, output);
    }

    private void FlushEndRun()
    {
        if (endRun > 0)
        {
            // The size of a run is one less than the bits of its length.
            var bits = ValueBits.Of(endRun, out var size);
            Add((size - 1) << 4, bits - (1u << (size - 1)));
            endRun = 0;
        }
    }

    private void Add(int symbol, uint bits)
    {
        tokens.Counts[symbol]++;
        tokens.Last[used++] = (uint)symbol << 16 | bits;
    }
}
