namespace Halftone.Codec.Webp;

/// <summary>
/// The macroblock at work and its neighbours' samples, before any loop filter: prediction reads them (RFC 6386, section 12.2 and 12.3).
/// Left of the
/// picture all is 129, above it 127.
/// </summary>
internal sealed class Canvas
{
    /// <summary>Bytes between rows of <see cref="Luma"/>, of <see cref="Chroma"/> and of predictions.</summary>
    public const int Stride = 32;

    /// <summary>
    /// Where the macroblock's first sample is in <see cref="Luma"/> and <see cref="Chroma"/>: a row above it and columns at its left fit.
    /// </summary>
    public const int Start = Stride + 8;

    /// <summary>Length of a buffer of luma; one of chroma needs less.</summary>
    public const int Length = 18 * Stride;

    private const byte LeftOfAll = 129, AboveAll = 127;

    private byte[] lumaAbove = [], chromaAbove = [];
    private int wide;

    /// <summary>16 rows, the row above with the four samples right of it, and the column at the left.</summary>
    public byte[] Luma { get; } = new byte[Length];

    /// <summary>Eight rows of eight samples of U and eight of V, and the row above them.</summary>
    public byte[] Chroma { get; } = new byte[Length];

    /// <summary>The chroma's columns at the left: eight samples of U, eight of V, then the corners of both.</summary>
    public byte[] ChromaLeft { get; } = new byte[18];

    public bool HasAbove { get; private set; }

    public bool HasLeft { get; private set; }

    public void Begin(int macroblocksWide)
    {
        wide = macroblocksWide;
        if (lumaAbove.Length < 16 * wide)
        {
            (lumaAbove, chromaAbove) = (new byte[16 * wide], new byte[16 * wide]);
        }
    }

    /// <summary>Fills in the neighbours of a macroblock; call it for every one, from left to right.</summary>
    public void MoveTo(int column, int row)
    {
        (HasLeft, HasAbove) = (column > 0, row > 0);
        FillLeft();
        FillAbove(column);
    }

    /// <summary>Remembers the last row for the macroblock below; call it when the macroblock is whole.</summary>
    public void Keep(int column)
    {
        Luma.AsSpan(Start + 15 * Stride, 16).CopyTo(lumaAbove.AsSpan(16 * column));
        Chroma.AsSpan(Start + 7 * Stride, 16).CopyTo(chromaAbove.AsSpan(16 * column));
    }

    private void FillLeft()
    {
        var left = ChromaLeft;
        if (HasLeft)
        {
            // What is there is the macroblock before.
            for (var y = -1; y < 16; y++)
            {
                Luma[Start + y * Stride - 1] = Luma[Start + y * Stride + 15];
            }

            for (var y = 0; y < 8; y++)
            {
                (left[y], left[8 + y]) = (Chroma[Start + y * Stride + 7], Chroma[Start + y * Stride + 15]);
            }

            (left[16], left[17]) = (Chroma[Start - Stride + 7], Chroma[Start - Stride + 15]);
            return;
        }

        for (var y = 0; y < 16; y++)
        {
            Luma[Start + y * Stride - 1] = left[y] = LeftOfAll;
        }

        Luma[Start - Stride - 1] = left[16] = left[17] = HasAbove ? LeftOfAll : AboveAll;
    }

    private void FillAbove(int column)
    {
        Span<byte> luma = Luma.AsSpan(Start - Stride, 20), chroma = Chroma.AsSpan(Start - Stride, 16);
        if (HasAbove)
        {
            lumaAbove.AsSpan(16 * column, 16).CopyTo(luma);
            chromaAbove.AsSpan(16 * column, 16).CopyTo(chroma);
            if (column < wide - 1)
            {
                lumaAbove.AsSpan(16 * column + 16, 4).CopyTo(luma[16..]);
            }
            else
            {
                luma[16..].Fill(luma[15]);
            }
        }
        else
        {
            luma.Fill(AboveAll);
            chroma.Fill(AboveAll);
        }

        // The blocks at the right edge have the same samples above and to the right, whatever row they are in.
        for (var y = 3; y < 15; y += 4)
        {
            luma[16..].CopyTo(Luma.AsSpan(Start + y * Stride + 16));
        }
    }
}
