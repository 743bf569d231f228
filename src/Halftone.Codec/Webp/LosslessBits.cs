namespace Halftone.Codec.Webp;

/// <summary>
/// Reads bits, least significant first (RFC 9649, section 3). Past the end come zeros, and <see cref="IsPastEnd"/> says so.
/// </summary>
internal ref struct LosslessBits(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> data = data;
    private long at;

    public readonly bool IsPastEnd => at > 8L * data.Length;

    /// <summary>A number of at most 24 bits.</summary>
    public uint Read(int bits)
    {
        var value = Peek() & ((1u << bits) - 1);
        at += bits;
        return value;
    }

    public bool Flag() => Read(1) != 0;

    /// <summary>The next 24 bits or more, not consumed.</summary>
    public readonly uint Peek()
    {
        var first = (int)Math.Min(at >> 3, data.Length);
        ulong window = 0;
        for (var i = 0; i < 4 && first + i < data.Length; i++)
        {
            window |= (ulong)data[first + i] << (8 * i);
        }

        return (uint)(window >> (int)(at & 7)) & 0xFFFFFF;
    }

    public void Skip(int bits) => at += bits;
}

/// <summary>A prefix code of symbols (RFC 9649, section 6.2).</summary>
internal sealed class LosslessCode
{
    private const int MaxLength = 15;

    private readonly int[] starts = new int[MaxLength + 2];
    private readonly int[] counts;
    private readonly ushort[] symbols;
    private readonly bool isOneSymbol;

    private LosslessCode(int[] counts, ushort[] symbols)
    {
        (this.counts, this.symbols, isOneSymbol) = (counts, symbols, symbols.Length == 1);
        for (var length = 1; length <= MaxLength; length++)
        {
            starts[length + 1] = starts[length] + counts[length];
        }
    }

    /// <summary>Makes a code of its lengths; null where they are no whole code. A code of one symbol takes no bits.</summary>
    public static LosslessCode? Of(ReadOnlySpan<byte> lengths)
    {
        var counts = new int[MaxLength + 1];
        foreach (var length in lengths)
        {
            counts[length]++;
        }

        var used = lengths.Length - counts[0];
        if (used == 0)
        {
            return null;
        }

        counts[0] = 0;
        var open = 1;
        for (var length = 1; length <= MaxLength; length++)
        {
            open = 2 * open - counts[length];
            if (open < 0)
            {
                return null;
            }
        }

        if (open != 0 && used > 1)
        {
            return null;
        }

        var symbols = new ushort[used];
        var next = 0;
        for (var length = 1; length <= MaxLength; length++)
        {
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] == length)
                {
                    symbols[next++] = (ushort)symbol;
                }
            }
        }

        return new LosslessCode(counts, symbols);
    }

    public int Read(ref LosslessBits bits)
    {
        if (isOneSymbol)
        {
            return symbols[0];
        }

        // Codes of one length are consecutive numbers, each read from its highest bit.
        var window = bits.Peek();
        int code = 0, first = 0;
        for (var length = 1; length <= MaxLength; length++, window >>= 1)
        {
            code = code << 1 | (int)(window & 1);
            first <<= 1;
            if (code - first < counts[length])
            {
                bits.Skip(length);
                return symbols[starts[length] + code - first];
            }

            first += counts[length];
        }

        throw new InvalidOperationException("A whole code has a symbol for every bits.");
    }
}
