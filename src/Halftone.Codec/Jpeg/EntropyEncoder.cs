using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>Turns a <see cref="TokenList"/> into entropy-coded data with the tables that are shortest for it.</summary>
internal sealed unsafe class EntropyEncoder
{
    private const int TokensPerStep = 1 << 16;

    // Code and its length as one number, by a token's place: length << 32 | code << extra bits.
    private readonly ulong[] codes = GC.AllocateArray<ulong>(TokenList.Places, pinned: true);

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

    /// <summary>Appends the data to <paramref name="output"/> after its first <paramref name="at"/> bytes; returns the new length.</summary>
    public int Encode(TokenList tokens, NativeBuffer<byte> output, int at)
    {
        var writer = new BitWriter(output.Start + at);
        for (var c = 0; c < tokens.ChunkCount; c++)
        {
            var token = tokens.Chunk(c, out var length);
            for (var done = 0; done < length; done += TokensPerStep)
            {
                var step = Math.Min(TokensPerStep, length - done);
                // At most 27 bits each, all of them stuffed at worst, and what the writer still holds.
                Reserve(ref writer, output, (nuint)step * 8 + 32);
                Encode(token + done, step, ref writer);
            }
        }
        Reserve(ref writer, output, 32);
        writer.Finish();
        return checked((int)(writer.Target - output.Start));
    }

    private void Encode(uint* token, int count, ref BitWriter shared)
    {
        var writer = shared; // A copy stays in registers; one behind a reference does not.
        var table = (ulong*)Unsafe.AsPointer(ref codes[0]);
        for (var end = token + count; token < end; token++)
        {
            var code = table[*token >> 16];
            writer.Write((uint)code | (*token & 0xFFFF), (int)(code >> 32));
        }
        shared = writer;
    }

    private static void Reserve(ref BitWriter writer, NativeBuffer<byte> output, nuint more)
    {
        var used = (nuint)(writer.Target - output.Start);
        if (used + more > output.Length)
        {
            output.Grow(Math.Max(used + more, output.Length + output.Length / 2));
            writer.MoveTo(output.Start + used);
        }
    }
}
