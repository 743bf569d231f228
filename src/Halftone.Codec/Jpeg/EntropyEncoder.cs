namespace Halftone.Codec.Jpeg;

/// <summary>Turns a <see cref="TokenList"/> into entropy-coded data with the tables that are shortest for it.</summary>
internal sealed class EntropyEncoder
{
    private const int TokensPerStep = 1 << 16;

    // Code and its length as one number, by a token's place: length << 32 | code << extra bits.
    private readonly ulong[] codes = new ulong[TokenList.Places];

    /// <summary>DC and AC for luma, then for chroma: the order of the places.</summary>
    public OptimalHuffman[] Tables { get; } = [new(), new(), new(), new()];

    /// <summary>Builds the tables; returns the length of the data they will give, in bits, without byte stuffing.</summary>
    public long Prepare(ReadOnlySpan<int> counts)
    {
        long bits = 0;
        for (var t = 0; t < 4; t++)
        {
            var ofTable = counts.Slice(t * 256, 256);
            Tables[t].Build(ofTable);
            for (var symbol = 0; symbol < 256; symbol++)
            {
                var extra = (t & 1) == 0 ? symbol : symbol & 15;
                var length = Tables[t].Lengths[symbol];
                codes[t * 256 + symbol] = length == 0 ? 0 : (ulong)(uint)(length + extra) << 32 | (uint)Tables[t].Codes[symbol] << extra;
                bits += (long)ofTable[symbol] * (length + extra) * (length == 0 ? 0 : 1);
            }
        }
        return bits;
    }

    /// <summary>Appends the data to <paramref name="output"/>, which may be replaced by a larger array, after its first <paramref name="at"/> bytes; returns the new length.</summary>
    public int Encode(TokenList tokens, ref byte[] output, int at)
    {
        var writer = new BitWriter(output, at);
        for (var c = 0; c < tokens.ChunkCount; c++)
        {
            var chunk = tokens.Chunk(c);
            while (chunk.Length > 0)
            {
                var step = chunk[..Math.Min(TokensPerStep, chunk.Length)];
                chunk = chunk[step.Length..];
                // At most 27 bits each, all of them stuffed at worst, and what the writer still holds.
                Reserve(ref writer, ref output, step.Length * 8 + 32);
                Encode(step, ref writer);
            }
        }
        Reserve(ref writer, ref output, 32);
        writer.Finish();
        return writer.Length;
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

    private static void Reserve(ref BitWriter writer, ref byte[] output, int more)
    {
        if (writer.Length + more > output.Length)
        {
            var larger = GC.AllocateUninitializedArray<byte>(checked(Math.Max(writer.Length + more, output.Length + output.Length / 2)));
            output.AsSpan(0, writer.Length).CopyTo(larger);
            output = larger;
            writer.MoveTo(output);
        }
    }
}
