namespace Halftone.Codec.Jpeg;

/// <summary>Turns a <see cref="TokenList"/> into entropy-coded data with the tables that are shortest for it.</summary>
/// <param name="kinds">The symbols of each table, in the order of the places.</param>
internal sealed class EntropyEncoder(params SymbolKind[] kinds)
{
    // Code and its length as one number, by a token's place: length << 32 | code << extra bits.
    private readonly ulong[] codes = new ulong[kinds.Length * 256];

    /// <summary>In the order of the places.</summary>
    public OptimalHuffman[] Tables { get; } = [.. kinds.Select(_ => new OptimalHuffman())];

    /// <summary>Builds the tables; returns the length of the data they will give, in bits, without byte stuffing.</summary>
    public long Prepare(ReadOnlySpan<int> counts)
    {
        long bits = 0;
        for (var t = 0; t < kinds.Length; t++)
        {
            var ofTable = counts.Slice(t * 256, 256);
            Tables[t].Build(ofTable);
            for (var symbol = 0; symbol < 256; symbol++)
            {
                var extra = ExtraBits(kinds[t], symbol);
                var length = Tables[t].Lengths[symbol];
                codes[t * 256 + symbol] = length == 0 ? 0 : (ulong)(uint)(length + extra) << 32 | (uint)Tables[t].Codes[symbol] << extra;
                bits += (long)ofTable[symbol] * (length + extra) * (length == 0 ? 0 : 1);
            }
        }

        return bits;
    }

    /// <summary>
    /// Bits that follow a symbol's code: the value, or in a progressive scan the length of a run of ended blocks (ITU-T T.81, F.1.2,
    /// G.1.2.2).
    /// </summary>
    public static int ExtraBits(SymbolKind kind, int symbol) => kind switch
    {
        SymbolKind.Dc => symbol,
        SymbolKind.ProgressiveAc when (symbol & 15) == 0 && symbol < 0xF0 => symbol >> 4,
        _ => symbol & 15,
    };

    /// <summary>Appends the data.</summary>
    public void Encode(TokenList tokens, OutputBuffer output)
    {
        var writer = new BitWriter(output.Reserve(output.Length, 0), output.Length);
        for (var c = 0; c < tokens.ChunkCount; c++)
        {
            var chunk = tokens.Chunk(c);
            // At most 31 bits each, all of them stuffed at worst, and what the writer still holds.
            writer.MoveTo(output.Reserve(writer.Length, chunk.Length * 8 + 32));
            Encode(chunk, ref writer);
        }

        writer.MoveTo(output.Reserve(writer.Length, 32));
        writer.Finish();
        output.Length = writer.Length;
    }

    private void Encode(ReadOnlySpan<uint> tokens, ref BitWriter shared)
    {
        var writer = shared; // A copy stays in registers; one behind a reference does not.
        ReadOnlySpan<ulong> table = codes;
        foreach (var token in tokens)
        {
            var code = table[(int)(token >> 16)];
            writer.Write((uint)code | (token & 0xFFFF), (int)(code >> 32));
        }

        shared = writer;
    }
}
