namespace Halftone.Codec.Jpeg;

/// <summary>
/// What each AC symbol of one Huffman table costs in bits, its extra bits included. The table is built from counts that are complete only
/// at the end, so
/// the counts so far stand for it; before there are any, a rough model does.
/// </summary>
internal sealed class SymbolRates
{
    private const int EndOfBlock = 0, SixteenZeros = 0xF0;

    /// <summary>What a block without coefficients costs a progressive scan, as a part of the run that it lengthens.</summary>
    private const float EmptyBits = 0.5f;

    /// <summary>No code is longer (ITU-T T.81, C.2).</summary>
    private const float LongestCode = 16;

    /// <summary>Added to every count: a symbol that did not occur yet may still come.</summary>
    private const float Once = 0.4f;

    private static readonly float LogOfNone = Log2(Once);

    private readonly float[] bits = new float[256];

    /// <summary>By symbol, run &lt;&lt; 4 | size.</summary>
    public ReadOnlySpan<float> Bits => bits;

    /// <summary>Bits for ending a block that has coefficients in this band.</summary>
    public float End { get; private set; }

    /// <summary>Bits for a block that has none.</summary>
    public float Empty { get; private set; }

    /// <summary>Forgets the last image.</summary>
    public void Reset(bool isProgressive)
    {
        for (var symbol = 0; symbol < 256; symbol++)
        {
            int run = symbol >> 4, size = symbol & 15;
            bits[symbol] = Math.Min(15, 0.6f + 0.85f * run + 1.8f * size) + size;
        }

        bits[EndOfBlock] = 2.2f;
        bits[SixteenZeros] = 10;
        (Empty, End) = isProgressive ? (0.3f, 3f) : (2.2f, 2.2f);
    }

    /// <summary>Takes the counts so far.</summary>
    /// <param name="counts">By symbol.</param>
    public void Update(ReadOnlySpan<int> counts, bool isProgressive)
    {
        long total = 0;
        foreach (var count in counts)
        {
            total += count;
        }

        var all = Log2(total + 16);
        float ends = 0, endBits = 0;
        for (var symbol = 0; symbol < 256; symbol++)
        {
            var code = Math.Min(LongestCode, all - (counts[symbol] == 0 ? LogOfNone : Log2(counts[symbol] + Once)));
            bits[symbol] = code + (symbol & 15);
            if ((symbol & 15) == 0 && symbol < SixteenZeros)
            {
                ends += counts[symbol];
                endBits += counts[symbol] * (code + (symbol >> 4));
            }
        }

        if (isProgressive)
        {
            // One symbol ends a whole run of blocks: a block that has coefficients breaks the run, an empty one only lengthens it.
            End = ends > 0 ? endBits / ends : 3;
            Empty = EmptyBits;
        }
        else
        {
            Empty = End = bits[EndOfBlock];
        }
    }

    /// <summary>Rounded from twice the precision, so that every machine gets the same and writes the same file.</summary>
    private static float Log2(double value) => (float)Math.Log2(value);
}
