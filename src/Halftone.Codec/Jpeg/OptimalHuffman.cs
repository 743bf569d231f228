namespace Halftone.Codec.Jpeg;

/// <summary>
/// The shortest prefix code for given symbol counts with no code longer than 16 bits and none of ones only (ITU-T T.81, K.2, C.2).
/// </summary>
internal sealed class OptimalHuffman
{
    /// <summary>A tree this deep would need more symbols than 2^40 (Fibonacci numbers as counts).</summary>
    private const int MaxTreeDepth = 64;

    private const int MaxBits = 16;

    private readonly byte[] counts = new byte[MaxBits];
    private readonly byte[] symbols = new byte[256];
    private readonly byte[] lengths = new byte[256];
    private readonly ushort[] codes = new ushort[256];
    private int symbolCount;

    /// <summary>Codes per length for the DHT segment; index 0 stands for length 1.</summary>
    public ReadOnlySpan<byte> Counts => counts;

    /// <summary>Symbols by increasing code, for the DHT segment.</summary>
    public ReadOnlySpan<byte> Symbols => symbols.AsSpan(0, symbolCount);

    /// <summary>Length of each symbol's code; 0 for those that do not occur.</summary>
    public ReadOnlySpan<byte> Lengths => lengths;

    /// <summary>Each symbol's code, in its lowest bits.</summary>
    public ReadOnlySpan<ushort> Codes => codes;

    /// <summary>Builds the code for 256 counts.</summary>
    public void Build(ReadOnlySpan<int> symbolCounts)
    {
        Span<int> depth = stackalloc int[257];
        depth.Clear();
        FindDepths(symbolCounts, depth);
        Span<int> perLength = stackalloc int[MaxTreeDepth + 1];
        perLength.Clear();
        for (var i = 0; i < 257; i++)
        {
            perLength[depth[i]]++;
        }

        perLength[0] = 0;
        LimitLengths(perLength);
        AssignCodes(depth, perLength);
    }

    /// <summary>
    /// Depth of each symbol in the Huffman tree, 0 for those that do not occur; symbol 256 is a reserved one whose code will be
    /// the one of ones only. Leaves are sorted once, inner nodes come out in rising order by themselves.
    /// </summary>
    private static void FindDepths(ReadOnlySpan<int> symbolCounts, Span<int> depth)
    {
        Span<long> leaves = stackalloc long[257];
        var leafCount = 0;
        for (var symbol = 0; symbol < 257; symbol++)
        {
            long weight = symbol == 256 ? 1 : symbolCounts[symbol];
            if (weight > 0)
            {
                // Weight first; of equals the higher symbol comes first, so that the reserved one sinks to the bottom.
                leaves[leafCount++] = weight << 9 | (uint)(256 - symbol);
            }
        }

        leaves = leaves[..leafCount];
        leaves.Sort();
        Span<long> inner = stackalloc long[256];
        Span<int> parent = stackalloc int[513];
        int leaf = 0, node = 0;
        for (var made = 0; made < leafCount - 1; made++)
        {
            long sum = 0;
            for (var child = 0; child < 2; child++)
            {
                if (node == made || (leaf < leafCount && leaves[leaf] >> 9 <= inner[node]))
                {
                    sum += leaves[leaf] >> 9;
                    parent[leaf++] = leafCount + made;
                }
                else
                {
                    sum += inner[node];
                    parent[leafCount + node++] = leafCount + made;
                }
            }

            inner[made] = sum;
        }

        // A parent stands behind its children, so one pass from the root down finds every depth.
        Span<int> depths = stackalloc int[513];
        depths[Math.Max(0, 2 * leafCount - 2)] = 0;
        for (var i = 2 * leafCount - 3; i >= 0; i--)
        {
            depths[i] = depths[parent[i]] + 1;
        }

        for (var i = 0; i < leafCount; i++)
        {
            depth[256 - (int)(leaves[i] & 511)] = depths[i];
        }
    }

    /// <summary>Moves pairs of too long codes up the tree (ITU-T T.81, figure K.3), then takes out the reserved code.</summary>
    private static void LimitLengths(Span<int> perLength)
    {
        for (var length = MaxTreeDepth; length > MaxBits; length--)
        {
            while (perLength[length] > 0)
            {
                var shorter = length - 2;
                while (perLength[shorter] == 0)
                {
                    shorter--;
                }

                perLength[length] -= 2;
                perLength[length - 1]++;
                perLength[shorter + 1] += 2;
                perLength[shorter]--;
            }
        }

        var longest = MaxBits;
        while (longest > 0 && perLength[longest] == 0)
        {
            longest--;
        }

        if (longest > 0)
        {
            perLength[longest]--;
        }
    }

    private void AssignCodes(ReadOnlySpan<int> depth, ReadOnlySpan<int> perLength)
    {
        symbolCount = 0;
        Array.Clear(lengths);
        int length = 1, left = perLength[1], code = 0;
        for (var i = 0; i < MaxBits; i++)
        {
            counts[i] = (byte)perLength[i + 1];
        }

        var deepest = 0;
        foreach (var d in depth)
        {
            deepest = Math.Max(deepest, d);
        }

        for (var d = 1; d <= deepest; d++)
        {
            for (var symbol = 0; symbol < 256; symbol++)
            {
                if (depth[symbol] != d)
                {
                    continue;
                }

                while (left == 0)
                {
                    left = perLength[++length];
                    code <<= 1;
                }

                symbols[symbolCount++] = (byte)symbol;
                lengths[symbol] = (byte)length;
                codes[symbol] = (ushort)code++;
                left--;
            }
        }
    }
}
