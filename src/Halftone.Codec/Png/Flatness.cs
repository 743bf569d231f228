using System.Numerics;

namespace Halftone.Codec.Png;

/// <summary>
/// How flat a place is: how many of a pixel's four neighbours have its palette index. Those outside the image count as
/// equal.
/// </summary>
internal static class Flatness
{
    /// <summary>Most that <see cref="Count"/> gives.</summary>
    public const int Most = 4;

    /// <summary>Counts for one row.</summary>
    /// <param name="above">Indices of the row above; the row itself for the first.</param>
    /// <param name="row">Indices of the row.</param>
    /// <param name="below">Indices of the row below; the row itself for the last.</param>
    /// <param name="counts">Takes 0 to 4 for each pixel.</param>
    public static void Count(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, Span<byte> counts)
    {
        int x = 1, lanes = Vector<byte>.Count;
        counts[0] = CountOne(above, row, below, 0);
        for (; x + lanes < row.Length; x += lanes)
        {
            var here = new Vector<byte>(row[x..]);
            // Equal lanes are all ones, which is -1: four of them subtracted from nothing is the count.
            var equal = Vector.Equals(here, new Vector<byte>(row[(x - 1)..])) + Vector.Equals(here, new Vector<byte>(row[(x + 1)..]))
                + Vector.Equals(here, new Vector<byte>(above[x..])) + Vector.Equals(here, new Vector<byte>(below[x..]));
            (Vector<byte>.Zero - equal).CopyTo(counts[x..]);
        }

        for (; x < row.Length; x++)
        {
            counts[x] = CountOne(above, row, below, x);
        }
    }

    private static byte CountOne(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, int x)
    {
        byte here = row[x];
        int count = above[x] == here ? 1 : 0;
        count += below[x] == here ? 1 : 0;
        count += x == 0 || row[x - 1] == here ? 1 : 0;
        count += x == row.Length - 1 || row[x + 1] == here ? 1 : 0;
        return (byte)count;
    }
}
