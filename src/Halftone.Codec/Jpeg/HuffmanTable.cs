namespace Halftone.Codec.Jpeg;

/// <summary>
/// A Huffman table as a DHT segment gives it: how many codes of each length, and their symbols in order (ITU-T T.81, B.2.4.2, annex C).
/// </summary>
internal sealed class HuffmanTable
{
    private readonly byte[] symbols;
    private readonly byte[] counts;

    private HuffmanTable(byte[] counts, byte[] symbols) => (this.counts, this.symbols) = (counts, symbols);

    /// <summary>Codes per length; index 0 stands for length 1.</summary>
    public ReadOnlySpan<byte> Counts => counts;

    /// <summary>Symbols by increasing code.</summary>
    public ReadOnlySpan<byte> Symbols => symbols;

    /// <summary>
    /// Reads 16 counts and the symbols from the start of <paramref name="data"/>; null where symbols are missing or the
    /// counts do not form a prefix code.
    /// </summary>
    public static HuffmanTable? Read(ReadOnlySpan<byte> data)
    {
        if (data.Length < 16)
        {
            return null;
        }

        int total = 0, space = 0;
        for (var i = 0; i < 16; i++)
        {
            total += data[i];
            space += data[i] << (15 - i);
        }

        if (total > 256 || space > 1 << 16 || data.Length < 16 + total)
        {
            return null;
        }

        return new HuffmanTable(data[..16].ToArray(), data.Slice(16, total).ToArray());
    }
}
