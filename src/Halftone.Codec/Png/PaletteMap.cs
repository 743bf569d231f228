using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// Answers which palette entry is nearest to a colour. Answers are kept: for opaque colours in a cube of 64 × 64 × 64 cells, filled as they
/// are asked for, for the others in a small cache. Not thread-safe; reused from image to image.
/// </summary>
internal sealed class PaletteMap
{
    private const int CacheBits = 13;
    private const ushort Unknown = ushort.MaxValue;
    private readonly ushort[] _cube = new ushort[1 << 18];
    private readonly ulong[] _cache = new ulong[1 << CacheBits]; // colour << 8 | index
    private readonly ColourSearch _search = new();
    private readonly Vector128<float>[] _points = new Vector128<float>[256];

    /// <summary>Forgets everything and takes a new palette.</summary>
    /// <param name="palette">Of at least one colour.</param>
    /// <param name="exact">Working colours, most important first, that must be found without rounding to a cell where
    /// the palette has them.</param>
    public void Set(Palette palette, IReadOnlyList<uint> exact)
    {
        for (int i = 0; i < palette.Count; i++)
        {
            _points[i] = PackedColour.Coordinates(palette.Working[i]);
        }

        _search.Set(_points.AsSpan(0, palette.Count));
        _cube.AsSpan().Fill(Unknown);
        _cache.AsSpan().Fill(ulong.MaxValue);
        for (int i = exact.Count - 1; i >= 0; i--)
        {
            int index = _search.Nearest(PackedColour.Coordinates(exact[i]), out float distance);
            if (distance == 0 && exact[i] >= PackedColour.Opaque)
            {
                _cube[Cell(exact[i])] = (ushort)index;
            }
        }
    }

    /// <summary>Index of the palette entry nearest to a working colour, within two 8-bit steps a channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte Nearest(uint working)
    {
        if (working < PackedColour.Opaque)
        {
            return NearestTranslucent(working);
        }

        uint cell = Cell(working);
        ushort index = _cube[cell];
        return index != Unknown ? (byte)index : Fill(cell);
    }

    /// <summary>
    /// Indices of a row, where the index to the left or above is kept when it is nearly as good: longer runs, fewer
    /// bytes, no difference seen. A colour that the palette holds is always given its own entry.
    /// </summary>
    /// <param name="working">The row.</param>
    /// <param name="above">Indices of the row above; empty for the first row.</param>
    /// <param name="indices">Takes the indices.</param>
    /// <param name="slack">How much larger the squared distance may be.</param>
    public void MapRow(ReadOnlySpan<uint> working, ReadOnlySpan<byte> above, Span<byte> indices, float slack)
    {
        uint last = working[0];
        byte index = Nearest(last);
        indices = indices[..working.Length];
        indices[0] = index;
        for (int x = 1; x < working.Length; x++)
        {
            uint colour = working[x];
            if (colour != last)
            {
                last = colour;
                byte best = Nearest(colour);
                if (best != index)
                {
                    index = NearlyAsGood(colour, best, index, above.IsEmpty ? best : above[x], slack);
                }
            }

            indices[x] = index;
        }
    }

    private byte NearlyAsGood(uint colour, byte best, byte left, byte up, float slack)
    {
        var point = PackedColour.Coordinates(colour);
        float distance = _search.Distance(point, best);
        float most = distance == 0 ? -1 : distance + slack;
        return _search.Distance(point, left) <= most ? left
            : up != best && _search.Distance(point, up) <= most ? up
            : best;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Cell(uint colour) => colour >> 2 & 0x3F | colour >> 4 & 0xFC0 | colour >> 6 & 0x3F000;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte Fill(uint cell)
    {
        var middle = PackedColour.Coordinates((cell << 2 & 0xFC) + 1.5f, (cell >> 4 & 0xFC) + 1.5f, (cell >> 10 & 0xFC) + 1.5f, 255);
        int index = _search.Nearest(middle, out _);
        _cube[cell] = (ushort)index;
        return (byte)index;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte NearestTranslucent(uint working)
    {
        uint key = working == PackedColour.Invisible ? 0 : working & 0xFEFEFEFE | 0x01000000;
        ref ulong slot = ref _cache[key * 0x9E3779B1u >> 32 - CacheBits];
        if (slot >> 8 != key)
        {
            slot = (ulong)key << 8 | (uint)_search.Nearest(PackedColour.Coordinates(key == 0 ? PackedColour.Invisible : key), out _);
        }

        return (byte)slot;
    }
}
