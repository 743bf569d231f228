using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>The colours an image is reduced to, as a file holds them: straight, 8 bits, those with alpha first.</summary>
internal sealed class Palette
{
    private readonly uint[] _straight = new uint[256];
    private readonly uint[] _working = new uint[256];

    /// <summary>1 to 256.</summary>
    public int Count { get; private set; }

    /// <summary>The entries, straight, in the order of <see cref="PaletteOrder"/>.</summary>
    public ReadOnlySpan<uint> Straight => _straight.AsSpan(0, Count);

    /// <summary>The same entries in working form: what they look like once written and read again.</summary>
    public ReadOnlySpan<uint> Working => _working.AsSpan(0, Count);

    /// <summary>Takes the nearest 8-bit colour of each point; equal ones become one entry.</summary>
    public void Set(ReadOnlySpan<Vector128<float>> points)
    {
        for (int i = 0; i < points.Length; i++)
        {
            _straight[i] = PackedColour.ToStraight(points[i]);
        }

        var sorted = _straight.AsSpan(0, points.Length);
        sorted.Sort(PaletteOrder.Compare);
        Count = 0;
        foreach (uint colour in sorted)
        {
            if (Count == 0 || _straight[Count - 1] != colour)
            {
                _straight[Count] = colour;
                _working[Count++] = PackedColour.ToWorking(colour);
            }
        }
    }
}
