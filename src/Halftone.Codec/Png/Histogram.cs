using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// Counts working colours in cells and remembers the mean of each: 32 × 32 × 32 cells for opaque pixels, 16 × 16 × 16 × 32 for the others.
/// Its size does not depend on the image. Not thread-safe; reused from image to image.
/// </summary>
internal sealed class Histogram
{
    private const int OpaqueCells = 1 << 15, AlphaCells = 1 << 17;

    /// <summary>Sums are 32 bits wide, so no cell may see more than 2^32 / 255 pixels: of larger images every n-th row is counted.</summary>
    private const long MostPixels = 16_000_000;

    private readonly uint[] _cells = new uint[(OpaqueCells + AlphaCells) * 4]; // count, sum of red, green, blue
    private readonly uint[] _alphaSums = new uint[AlphaCells];
    private bool _alphaCellsDirty;

    /// <summary>Whether a pixel was not opaque.</summary>
    public bool HasAlpha { get; private set; }

    /// <summary>Pixels counted.</summary>
    public long Counted { get; private set; }

    /// <summary>Colours of long runs, in working form.</summary>
    public LongRuns Runs { get; } = new();

    /// <summary>Counts an image, forgetting the last one.</summary>
    /// <param name="pixels">The image.</param>
    /// <param name="rows">Two row buffers.</param>
    public void Count(PixelGrid pixels, RowBuffers rows)
    {
        Clear();
        int step = (int)(pixels.Pixels / MostPixels) + 1;
        for (int y = 0; y < pixels.Height; y += step)
        {
            var row = rows.Working(pixels, y, out bool transparent);
            HasAlpha |= transparent;
            CountRow(row);
            Counted += row.Length;
        }
        _alphaCellsDirty = HasAlpha;
    }

    private void CountRow(ReadOnlySpan<uint> row)
    {
        uint colour = row[0], run = 0;
        foreach (uint next in row)
        {
            if (next == colour)
            {
                run++;
                continue;
            }
            Add(colour, run);
            colour = next;
            run = 1;
        }
        Add(colour, run);
    }

    private void Add(uint colour, uint run)
    {
        uint red = colour & 255, green = colour >> 8 & 255, blue = colour >> 16 & 255, alpha = colour >> 24;
        uint cell;
        if (alpha == 255)
        {
            cell = red >> 3 | green >> 3 << 5 | blue >> 3 << 10;
        }
        else
        {
            // Cell 0 would be black that is hardly there; over mid grey there is no such colour, and invisible pixels have it to themselves.
            cell = alpha == 0 ? 0 : red >> 4 | green >> 4 << 4 | blue >> 4 << 8 | alpha >> 3 << 12;
            _alphaSums[cell] += alpha * run;
            cell += OpaqueCells;
        }
        ref uint sums = ref _cells[cell * 4];
        (Vector128.LoadUnsafe(ref sums) + Vector128.Create(1u, red, green, blue) * run).StoreUnsafe(ref sums);
        if (run >= LongRuns.Shortest)
        {
            Runs.Add(colour, run);
        }
    }

    private void Clear()
    {
        _cells.AsSpan(0, OpaqueCells * 4).Clear();
        if (_alphaCellsDirty)
        {
            _cells.AsSpan(OpaqueCells * 4).Clear();
            _alphaSums.AsSpan().Clear();
        }
        Runs.Clear();
        HasAlpha = false;
        Counted = 0;
    }

    /// <summary>Hands every cell that has pixels to <paramref name="cloud"/>: its mean in working coordinates, and its count.</summary>
    public void FillInto(ColourCloud cloud)
    {
        cloud.Clear();
        var cells = MemoryMarshal.Cast<uint, Cell>(_cells);
        for (int i = 0; i < (HasAlpha ? cells.Length : OpaqueCells); i++)
        {
            var cell = cells[i];
            if (cell.Count != 0)
            {
                float share = 1f / cell.Count;
                float alpha = i < OpaqueCells ? 255 : _alphaSums[i - OpaqueCells] * share;
                cloud.Add(PackedColour.Coordinates(cell.Red * share, cell.Green * share, cell.Blue * share, alpha), cell.Count);
            }
        }
    }

    private readonly record struct Cell(uint Count, uint Red, uint Green, uint Blue);
}
