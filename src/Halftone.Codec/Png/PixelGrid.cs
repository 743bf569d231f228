using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>A decoded image: 8 bits a channel, rows tightly packed from the top, alpha straight (not premultiplied).</summary>
/// <remarks>A packed colour is R | G &lt;&lt; 8 | B &lt;&lt; 16 | A &lt;&lt; 24: the bytes R, G, B, A as they lie in memory.</remarks>
internal readonly ref struct PixelGrid
{
    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>Wraps, without a copy.</summary>
    /// <param name="bytes">Exactly <paramref name="width"/> × <paramref name="height"/> × <paramref name="bands"/> bytes.</param>
    /// <param name="width">Pixels, from 1.</param>
    /// <param name="height">Pixels, from 1.</param>
    /// <param name="bands">1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    public PixelGrid(ReadOnlySpan<byte> bytes, int width, int height, int bands)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(bands, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bands, 4);
        if (bytes.Length != (long)width * height * bands)
        {
            throw new ArgumentException($"{bytes.Length} bytes are not {width} × {height} pixels of {bands} bands", nameof(bytes));
        }

        _bytes = bytes;
        Width = width;
        Height = height;
        Bands = bands;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Bytes of a pixel, 1 to 4.</summary>
    public int Bands { get; }

    /// <summary>Whether a pixel can be other than opaque.</summary>
    public bool HasAlphaBand => Bands is 2 or 4;

    /// <summary>Pixels of the whole image.</summary>
    public long Pixels => (long)Width * Height;

    /// <summary>
    /// One row as packed straight colours: in place where memory already holds them so, else expanded into
    /// <paramref name="buffer"/>.
    /// </summary>
    /// <param name="y">0-based row.</param>
    /// <param name="buffer">At least <see cref="Width"/> colours.</param>
    public ReadOnlySpan<uint> Straight(int y, Span<uint> buffer)
    {
        var row = _bytes.Slice(checked((int)((long)y * Width * Bands)), Width * Bands);
        if (Bands == 4)
        {
            return MemoryMarshal.Cast<byte, uint>(row);
        }

        buffer = buffer[..Width];
        switch (Bands)
        {
            case 1: ExpandGrey(row, buffer); break;
            case 2: ExpandGreyAlpha(row, buffer); break;
            default: ExpandRgb(row, buffer); break;
        }

        return buffer;
    }

    private static void ExpandGrey(ReadOnlySpan<byte> from, Span<uint> to)
    {
        for (int x = 0; x < to.Length; x++)
        {
            to[x] = PackedColour.Opaque | from[x] * 0x010101u;
        }
    }

    private static void ExpandGreyAlpha(ReadOnlySpan<byte> from, Span<uint> to)
    {
        for (int x = 0; x < to.Length; x++)
        {
            to[x] = (uint)from[2 * x + 1] << 24 | from[2 * x] * 0x010101u;
        }
    }

    private static void ExpandRgb(ReadOnlySpan<byte> from, Span<uint> to)
    {
        int x = 0;
        // 16 bytes are read for 4 pixels (12 bytes), so the last pixels of a row are left to the loop below.
        var spread = Vector128.Create((byte)0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
        var opaque = Vector128.Create(PackedColour.Opaque);
        for (; 3 * x + 16 <= from.Length; x += 4)
        {
            var four = Vector128.Shuffle(Vector128.Create(from[(3 * x)..]), spread).AsUInt32() | opaque;
            four.CopyTo(to[x..]);
        }

        for (; x < to.Length; x++)
        {
            to[x] = PackedColour.Opaque | from[3 * x] | (uint)from[3 * x + 1] << 8 | (uint)from[3 * x + 2] << 16;
        }
    }
}
