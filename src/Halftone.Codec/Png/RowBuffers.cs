namespace Halftone.Codec.Png;

/// <summary>Two rows of memory in which rows of an image become packed colours; all that a pass over the image needs.</summary>
internal sealed class RowBuffers
{
    private uint[] _straight = [], _working = [];

    /// <summary>Makes room for rows of this many pixels.</summary>
    public void Grow(int width)
    {
        if (_straight.Length < width)
        {
            _straight = new uint[width];
            _working = new uint[width];
        }
    }

    /// <summary>One row as straight colours; good until the next call.</summary>
    public ReadOnlySpan<uint> Straight(PixelGrid pixels, int y) => pixels.Straight(y, _straight);

    /// <summary>One row as working colours; good until the next call.</summary>
    /// <param name="pixels">The image.</param>
    /// <param name="y">0-based row.</param>
    /// <param name="transparent">Whether a pixel of the row is not opaque.</param>
    public ReadOnlySpan<uint> Working(PixelGrid pixels, int y, out bool transparent)
    {
        var straight = pixels.Straight(y, _straight);
        transparent = false;
        if (!pixels.HasAlphaBand)
        {
            return straight;
        }

        transparent = PackedColour.ToWorking(straight, _working);
        return transparent ? _working.AsSpan(0, straight.Length) : straight;
    }
}
