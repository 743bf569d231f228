namespace Halftone.Codec.Jpeg;

/// <summary>
/// One scan of a progressive file: the DC coefficients of one component, or a band of its AC coefficients (ITU-T T.81, G.1.2).
/// </summary>
internal sealed class OutputScan
{
    /// <summary>Blocks that one symbol can end (G.1.2.2).</summary>
    private const int LongestEndRun = 32767;

    /// <summary>Of one block: a run that ends, runs of 16 zeros, 63 coefficients.</summary>
    private const int MostTokens = 1 + 3 + 63;

    private readonly TokenList tokens;
    private readonly EntropyEncoder encoder;
    private uint[] chunk = [];
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

    /// <summary>The image may have no more memory: what was added last is lost.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Forgets the last image.</summary>
    public void Clear()
    {
        tokens.Clear();
        (chunk, used, endRun, lastDc, hasOverflow, IsFull) = ([], 0, 0, 0, false, false);
        Band.Rates.Reset(isProgressive: true);
    }

    public void AddDc(int dc)
    {
        if (used == chunk.Length)
        {
            NextChunk();
        }

        var bits = ValueBits.Of(dc - lastDc, out var size);
        lastDc = dc;
        hasOverflow |= size > ValueBits.MaxDcSize;
        tokens.Counts[size]++;
        chunk[used++] = (uint)size << 16 | bits;
    }

    /// <summary>
    /// Takes the coefficients from <paramref name="first"/> up to <paramref name="end"/> of a block, which are those of the band.
    /// </summary>
    public void AddAc(BlockLevels block, int first, int end)
    {
        var last = Band.First - 1;
        if (end > first)
        {
            last = AddLevels(block.Places[first..end], block.Levels[first..end]);
        }

        if (last < Band.Last && ++endRun == LongestEndRun)
        {
            FlushEndRun();
        }
    }

    /// <summary>Returns the index of the last coefficient that is not zero.</summary>
    private int AddLevels(ReadOnlySpan<byte> places, ReadOnlySpan<int> levels)
    {
        if (chunk.Length - used < MostTokens)
        {
            NextChunk();
        }

        Span<uint> target = chunk;
        Span<int> counts = tokens.Counts;
        int last = Band.First - 1, longest = 0;
        for (var i = 0; i < places.Length; i++)
        {
            var level = levels[i];
            if (level == 0)
            {
                continue;
            }

            FlushEndRun();
            var run = places[i] - last - 1;
            last = places[i];
            for (; run > 15; run -= 16)
            {
                counts[0xF0]++;
                target[used++] = 0xF0 << 16;
            }

            var bits = ValueBits.Of(level, out var size);
            longest = Math.Max(longest, size);
            var symbol = (run << 4 | size) & 0xFF;
            counts[symbol]++;
            target[used++] = (uint)symbol << 16 | bits;
        }

        hasOverflow |= longest > ValueBits.MaxAcSize;
        return last;
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
            var symbol = (size - 1) << 4;
            if (used == chunk.Length)
            {
                NextChunk();
            }

            tokens.Counts[symbol]++;
            chunk[used++] = (uint)symbol << 16 | (bits - (1u << (size - 1)));
            endRun = 0;
        }
    }

    private void NextChunk()
    {
        var next = tokens.Continue(used);
        IsFull = next.Length == 0;
        used = 0;
        // Without memory the last chunk is written over: the image is not taken.
        chunk = IsFull ? tokens.Last : next;
    }
}
