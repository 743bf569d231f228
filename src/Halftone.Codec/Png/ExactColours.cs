namespace Halftone.Codec.Png;

/// <summary>
/// The colours of an image that has at most 256 of them, so that it can be written as a palette without loss. Photographs overflow within
/// a few rows, so asking costs nothing there. Not thread-safe; reused from image to image.
/// </summary>
internal sealed class ExactColours
{
    private const int Slots = 1024;
    private readonly uint[] _keys = new uint[Slots];
    private readonly short[] _ids = new short[Slots];
    private readonly uint[] _colours = new uint[256];
    private readonly byte[] _order = new byte[256];

    /// <summary>How many there are, 1 to 256, after <see cref="TryCollect"/> said yes.</summary>
    public int Count { get; private set; }

    /// <summary>Runs of equal pixels in a row, as a measure of how busy the image is.</summary>
    public long RunCount { get; private set; }

    /// <summary>
    /// Straight colours in palette order: those with alpha first, then by luma. Fully transparent pixels are one
    /// colour, 0.
    /// </summary>
    public ReadOnlySpan<uint> Colours => _colours.AsSpan(0, Count);

    /// <summary>Looks at every pixel; false as soon as a 257th colour turns up, and then <see cref="Colours"/> means nothing.</summary>
    /// <param name="pixels">The image.</param>
    /// <param name="rows">Row memory.</param>
    public bool TryCollect(PixelGrid pixels, RowBuffers rows)
    {
        Array.Fill(_ids, (short)-1);
        Count = 0;
        RunCount = 0;
        for (int y = 0; y < pixels.Height; y++)
        {
            var row = rows.Straight(pixels, y);
            uint last = ~row[0];
            foreach (uint colour in row)
            {
                if (colour == last)
                {
                    continue;
                }

                if (!TryAdd(Visible(colour)))
                {
                    return false;
                }

                RunCount++;
                last = colour;
            }
        }

        Sort();
        return true;
    }

    /// <summary>Palette indices of a row of the image that was collected.</summary>
    public void Map(ReadOnlySpan<uint> straight, Span<byte> indices)
    {
        uint last = ~straight[0];
        byte index = 0;
        for (int x = 0; x < straight.Length; x++)
        {
            uint colour = straight[x];
            if (colour != last)
            {
                last = colour;
                index = _order[_ids[Find(Visible(colour))]];
            }

            indices[x] = index;
        }
    }

    private static uint Visible(uint colour) => colour >> 24 == 0 ? 0 : colour;

    private bool TryAdd(uint colour)
    {
        int slot = Find(colour);
        if (_ids[slot] >= 0)
        {
            return true;
        }

        if (Count == 256)
        {
            return false;
        }

        _keys[slot] = colour;
        _ids[slot] = (short)Count;
        _colours[Count++] = colour;
        return true;
    }

    /// <summary>The slot that holds the colour, or the free one where it belongs: three quarters of the slots stay free.</summary>
    private int Find(uint colour)
    {
        // Multiplicative hashing, Knuth, The Art of Computer Programming, 6.4: the golden ratio of 2^32.
        uint slot = colour * 0x9E3779B1u >> 22;
        while (_ids[slot] >= 0 && _keys[slot] != colour)
        {
            slot = slot + 1 & Slots - 1;
        }

        return (int)slot;
    }

    private void Sort()
    {
        Span<int> ids = stackalloc int[Count];
        for (int i = 0; i < Count; i++)
        {
            ids[i] = i;
        }

        Colours.ToArray().AsSpan().Sort(ids, PaletteOrder.Compare);
        _colours.AsSpan(0, Count).Sort(PaletteOrder.Compare);
        for (int i = 0; i < Count; i++)
        {
            _order[ids[i]] = (byte)i;
        }
    }
}

/// <summary>
/// Entries with alpha come first, because tRNS may stop at the last of them (PNG, 11.3.1.1); then by luma, so that neighbours in the image
/// tend to be neighbours in the palette.
/// </summary>
internal static class PaletteOrder
{
    public static int Compare(uint left, uint right)
    {
        bool leftOpaque = left >= PackedColour.Opaque, rightOpaque = right >= PackedColour.Opaque;
        if (leftOpaque != rightOpaque)
        {
            return leftOpaque ? 1 : -1;
        }

        int byLuma = PackedColour.Luma(left).CompareTo(PackedColour.Luma(right));
        return byLuma != 0 ? byLuma : left.CompareTo(right);
    }
}
