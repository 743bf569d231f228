using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// Counts working colours in cells and remembers the mean of each: 64 × 64 × 64 cells for opaque pixels, 16 × 16 × 16 × 32 for the others.
/// Its size does not depend on the image. Not thread-safe; reused from image to image.
/// </summary>
internal sealed class Histogram
{
    private const int OpaqueCells = 1 << 18, AlphaCells = 1 << 17;

    /// <summary>
    /// A pixel counts this many times when no channel is farther than <see cref="Near"/> steps from the pixel before:
    /// in a smooth place every error is seen, in a texture few are. Long runs count once; their colours are exact
    /// anyway.
    /// </summary>
    private const uint SmoothWeight = 4;
    private const int Near = 6;

    /// <summary>
    /// Sums are 32 bits wide, so no cell may see more than 2^32 / 255 counts: of larger images every n-th row is
    /// counted.
    /// </summary>
    private const long MostPixels = uint.MaxValue / 255 / SmoothWeight;

    private readonly uint[] _cells = new uint[(OpaqueCells + AlphaCells) * 4]; // count, sum of red, green, blue
    private readonly uint[] _alphaSums = new uint[AlphaCells];
    private bool _alphaCellsDirty;

    /// <summary>Whether a pixel was not opaque.</summary>
    public bool HasAlpha { get; private set; }

    /// <summary>Pixels counted.</summary>
    public long Counted { get; private set; }

    /// <summary>Runs of equal pixels counted, as a measure of how busy the image is: at most <see cref="Counted"/>.</summary>
    public long RunCount { get; private set; }

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
        uint before = ~row[0], colour = row[0], run = 0;
        foreach (uint next in row)
        {
            if (next == colour)
            {
                run++;
                continue;
            }

            Add(colour, run, before);
            (before, colour, run) = (colour, next, 1);
        }

        Add(colour, run, before);
    }

    private void Add(uint colour, uint run, uint before)
    {
        RunCount++;
        if (run >= LongRuns.Shortest)
        {
            Runs.Add(colour, run);
            Count(colour, run);
        }
        else
        {
            Count(colour, IsNear(colour, before) ? run * SmoothWeight : run);
        }
    }

    private static bool IsNear(uint left, uint right)
    {
        var a = Vector128.CreateScalar(left).AsByte();
        var b = Vector128.CreateScalar(right).AsByte();
        return Vector128.LessThanOrEqualAll(Vector128.Max(a, b) - Vector128.Min(a, b), Vector128.Create((byte)Near));
    }

    /// <summary>
    /// Takes the long runs of a colour out again, so that what has an entry of its own does not count as a part of the
    /// rest.
    /// </summary>
    public void Exclude(uint colour) => Count(colour, (uint)-Runs.PixelsOf(colour));

    /// <summary>Adds pixels of one colour to its cell; the negative of a number takes that many away, as sums wrap around.</summary>
    private void Count(uint colour, uint run)
    {
        uint red = colour & 255, green = colour >> 8 & 255, blue = colour >> 16 & 255, alpha = colour >> 24;
        uint cell;
        if (alpha == 255)
        {
            cell = red >> 2 | green >> 2 << 6 | blue >> 2 << 12;
        }
        else
        {
            // Cell 0 would be black that is hardly there; over mid grey there is no such colour, and invisible pixels
            // have it to themselves.
            cell = alpha == 0 ? 0 : red >> 4 | green >> 4 << 4 | blue >> 4 << 8 | alpha >> 3 << 12;
            _alphaSums[cell] += alpha * run;
            cell += OpaqueCells;
        }

        ref uint sums = ref _cells[cell * 4];
        (Vector128.LoadUnsafe(ref sums) + Vector128.Create(1u, red, green, blue) * run).StoreUnsafe(ref sums);
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
        Counted = RunCount = 0;
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
