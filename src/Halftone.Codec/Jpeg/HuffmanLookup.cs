using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>What the symbols of a table mean.</summary>
internal enum SymbolKind
{
    /// <summary>Length of a DC difference (ITU-T T.81, F.1.2.1).</summary>
    Dc,
    /// <summary>Run of zeros and length of a coefficient in a sequential scan (F.1.2.2).</summary>
    Ac,
    /// <summary>The same in a progressive scan, where a symbol may end a run of blocks (G.1.2.2).</summary>
    ProgressiveAc,
}

/// <summary>
/// Decoding tables of one Huffman table. The next <see cref="IndexBits"/> bits look up an entry that holds the code and the
/// value behind it at once:
/// <code>
/// bits  0- 5  bits consumed, 0 where the entry does not hold the whole symbol
/// bits  6-13  advance: how far the coefficient index moves (run + 1); <see cref="EndAdvance"/> more for the end of the block
/// bits 16-31  value, signed; for an end of blocks in a progressive scan, the number of bits of the run's length
/// </code>
/// Where bits 0 to 5 are 0: bits 16-20 length of the code, 0 when longer than the index; bits 24-28 length of the value.
/// </summary>
internal sealed class HuffmanLookup
{
    public const int IndexBits = 12;
    public const int IndexShift = 64 - IndexBits;

    /// <summary>Added to the advance by an end-of-block symbol: any index from 128 on means that the block is done.</summary>
    public const int EndAdvance = 128;

    private const int Size = 1 << IndexBits;

    private readonly uint[] single = new uint[Size];
    private readonly uint[] merged = new uint[Size];
    private readonly byte[] symbols = new byte[256];
    private readonly int[] limits = new int[17];
    private readonly int[] offsets = new int[17];
    private SymbolKind kind;

    /// <summary>One symbol per entry.</summary>
    public uint[] Single => single;

    /// <summary>Several symbols per entry where all but the last are worth nothing; see <see cref="Merge"/>.</summary>
    public uint[] Merged => merged;

    /// <summary>Fills <see cref="Single"/> (ITU-T T.81, annex C, F.2.2.3, with a table look-up).</summary>
    public void Build(HuffmanTable table, SymbolKind symbolKind)
    {
        kind = symbolKind;
        Array.Clear(single);
        table.Symbols.CopyTo(symbols);
        int code = 0, index = 0;
        for (var length = 1; length <= 16; length++)
        {
            offsets[length] = index - code;
            for (var i = 0; i < table.Counts[length - 1]; i++, code++, index++)
            {
                if (length <= IndexBits)
                {
                    Fill(single.AsSpan(code << (IndexBits - length), 1 << (IndexBits - length)), length, symbols[index]);
                }
            }

            limits[length] = code << (16 - length);
            code <<= 1;
        }
    }

    /// <summary>
    /// Fills <see cref="Merged"/> for a source whose values below <paramref name="leastKept"/> round to zero at every index:
    /// symbols with such values only move the index, so as many as fit the look-up become one entry. An entry may reach past
    /// the end of a block; the reader then falls back to <see cref="Single"/>.
    /// </summary>
    /// <param name="leastKept">Smallest magnitude that may survive requantization anywhere; 1 merges only runs of 16 zeros.</param>
    public void Merge(int leastKept)
    {
        for (var i = 0; i < Size; i++)
        {
            var entry = single[i];
            int length = (int)entry & 63, advance = (int)(entry >> 6) & 255;
            while (length != 0 && length < IndexBits && advance < 64 && IsNothing(entry, leastKept))
            {
                entry = single[(i << length) & (Size - 1)];
                int more = (int)entry & 63, further = (int)(entry >> 6) & 255;
                if (more == 0 || length + more > IndexBits)
                {
                    entry = 0;
                    break;
                }

                length += more;
                advance += further;
            }

            var value = length == 0 || advance >= EndAdvance || IsNothing(entry, leastKept) ? 0 : entry & 0xFFFF0000;
            merged[i] = length == 0 ? single[i] : value | (uint)advance << 6 | (uint)length;
        }
    }

    /// <summary>
    /// The whole symbol at the start of <paramref name="window"/>, of which 32 bits are valid, where the look-up could not hold
    /// it; as an entry, or 0 where no code begins so.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public uint Long(ulong window, uint entry)
    {
        int length = (int)(entry >> 16) & 31, size, advance;
        if (length != 0)
        {
            (size, advance) = ((int)(entry >> 24), (int)(entry >> 6) & 255);
        }
        else
        {
            var top = (int)(window >> 48);
            length = IndexBits + 1;
            while (length <= 16 && top >= limits[length])
            {
                length++;
            }

            if (length > 16)
            {
                return 0;
            }

            (size, advance) = Meaning(symbols[((top >> (16 - length)) + offsets[length]) & 255], out var value);
            if (size == 0)
            {
                return (uint)value << 16 | (uint)advance << 6 | (uint)length;
            }
        }

        if (size > 15)
        {
            return 0;
        }

        var bits = (int)(window << length >> (64 - size));
        return (uint)Extend(bits, size) << 16 | (uint)advance << 6 | (uint)(length + size);
    }

    /// <summary>The first symbol alone, as an entry; 0 where no code begins so.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public uint First(ulong window)
    {
        var entry = single[window >> IndexShift];
        return (entry & 63) == 0 ? Long(window, entry) : entry;
    }

    /// <summary>
    /// The value that <paramref name="bits"/> stand for in category <paramref name="size"/>, 1 to 15 (ITU-T T.81, F.2.2.1, EXTEND).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Extend(int bits, int size) => bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;

    private static bool IsNothing(uint entry, int leastKept) => ((entry >> 6) & 255) < EndAdvance && Math.Abs((int)entry >> 16) < leastKept;

    private void Fill(Span<uint> entries, int length, byte symbol)
    {
        var (size, advance) = Meaning(symbol, out var value);
        var shared = (uint)advance << 6;
        if (size == 0)
        {
            entries.Fill((uint)value << 16 | shared | (uint)length);
        }
        else if (length + size > IndexBits)
        {
            entries.Fill((uint)size << 24 | (uint)length << 16 | shared);
        }
        else
        {
            var each = entries.Length >> size;
            for (var bits = 0; bits < 1 << size; bits++)
            {
                entries.Slice(bits * each, each).Fill((uint)Extend(bits, size) << 16 | shared | (uint)(length + size));
            }
        }
    }

    /// <summary>
    /// Length of the value behind a symbol and how far the index moves; a DC length above 15 stays one that no reader accepts.
    /// </summary>
    private (int Size, int Advance) Meaning(byte symbol, out int value)
    {
        value = 0;
        if (kind == SymbolKind.Dc)
        {
            return (Math.Min((int)symbol, 31), 0);
        }

        int run = symbol >> 4, size = symbol & 15;
        if (size != 0 || run == 15)
        {
            return (size, run + 1);
        }

        // In a sequential scan only run 0 is defined; decoders take the others for it.
        value = kind == SymbolKind.ProgressiveAc ? run : 0;
        return (0, EndAdvance);
    }
}
