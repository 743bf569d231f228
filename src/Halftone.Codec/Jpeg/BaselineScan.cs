namespace Halftone.Codec.Jpeg;

/// <summary>
/// One interleaved scan of a baseline file (ITU-T T.81, F.1.1.5, F.1.2). Luma has tables of its own, the two chromas share theirs.
/// </summary>
internal sealed class BaselineScan(TokenChunks memory) : IOutputScans
{
    private const uint AcPlace = 1u << 24, ChromaPlace = 1u << 25;

    /// <summary>Of one block: DC, runs of 16 zeros, 63 coefficients.</summary>
    private const int MostTokens = 1 + 3 + 63;

    private readonly EntropyEncoder encoder = new(SymbolKind.Dc, SymbolKind.Ac, SymbolKind.Dc, SymbolKind.Ac);
    private readonly Band[] bands = [new(1, 63, new SymbolRates()), new(1, 63, new SymbolRates())];
    private readonly int[] lastDc = new int[3];
    private uint[] chunk = [];
    private int used;
    private bool hasOverflow;

    public bool IsProgressive => false;

    public bool IsFull { get; private set; }

    public TokenList Tokens { get; } = new(memory, 4);

    public void Begin(int components)
    {
        Tokens.Clear();
        Array.Clear(lastDc);
        (chunk, used, hasOverflow, IsFull) = ([], 0, false, false);
        Array.ForEach(bands, band => band.Rates.Reset(isProgressive: false));
    }

    public ReadOnlySpan<Band> Bands(int component) => bands.AsSpan(component == 0 ? 0 : 1, 1);

    public void Add(int component, BlockLevels block)
    {
        if (chunk.Length - used < MostTokens)
        {
            NextChunk();
        }

        Span<uint> target = chunk;
        Span<int> counts = Tokens.Counts;
        var place = component == 0 ? 0 : ChromaPlace;
        var to = used;
        var bits = ValueBits.Of(block.Dc - lastDc[component], out var size);
        lastDc[component] = block.Dc;
        var longestAc = 0;
        var symbol = place | (uint)size << 16;
        hasOverflow |= size > ValueBits.MaxDcSize;
        counts[(int)(symbol >> 16)]++;
        target[to++] = symbol | bits;
        place |= AcPlace;
        var places = block.Places;
        ReadOnlySpan<int> levels = block.Levels;
        var last = 0;
        for (var i = 0; i < places.Length; i++)
        {
            if (levels[i] == 0)
            {
                continue;
            }

            var run = places[i] - last - 1;
            last = places[i];
            for (; run > 15; run -= 16)
            {
                symbol = place | 0xF0 << 16;
                counts[(int)(symbol >> 16)]++;
                target[to++] = symbol;
            }

            bits = ValueBits.Of(levels[i], out size);
            longestAc = Math.Max(longestAc, size);
            symbol = place | (uint)((run << 4 | size) & 0xFF) << 16;
            counts[(int)(symbol >> 16)]++;
            target[to++] = symbol | bits;
        }

        if (last < 63)
        {
            counts[(int)(place >> 16)]++;
            target[to++] = place;
        }

        hasOverflow |= longestAc > ValueBits.MaxAcSize;
        used = to;
    }

    public void Pad()
    {
        if (chunk.Length - used < MostTokens)
        {
            NextChunk();
        }

        Tokens.Counts[0]++;
        chunk[used++] = 0;
        Tokens.Counts[AcPlace >> 16]++;
        chunk[used++] = AcPlace;
    }

    public void UpdateRates()
    {
        for (var b = 0; b < bands.Length; b++)
        {
            bands[b].Rates.Update(Tokens.Counts.AsSpan((2 * b + 1) * 256, 256), isProgressive: false);
        }
    }

    public bool End()
    {
        Tokens.End(used);
        return !hasOverflow;
    }

    public long Prepare() => encoder.Prepare(Tokens.Counts);

    public void Write(OutputBuffer output, JpegWriter writer, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers)
    {
        var components = frame.Components.Length;
        writer.Frame(Marker.Sof0, frame, layout, requantizers);
        for (var t = 0; t < (components == 1 ? 2 : 4); t++)
        {
            writer.Table((t & 1) == 0 ? SymbolKind.Dc : SymbolKind.Ac, t >> 1, encoder.Tables[t]);
        }

        writer.Scan([.. Enumerable.Range(0, components)], component => component == 0 ? 0 : 1, 0, 63);
        writer.MoveTo(output);
        encoder.Encode(Tokens, output);
        output.Append([0xFF, Marker.Eoi]);
    }

    private void NextChunk()
    {
        var next = Tokens.Continue(used);
        IsFull = next.Length == 0;
        used = 0;
        // Without memory the last chunk is written over: the image is not taken.
        chunk = IsFull ? Tokens.Last : next;
    }
}
