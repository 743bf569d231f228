using FsCheck;
using FsCheck.Fluent;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Tests.Jpeg;

public sealed class HuffmanTests
{
    [Fact]
    public void Optimal_tables_are_prefix_codes_of_at_most_16_bits_without_the_code_of_ones() =>
        Prop.ForAll<int[]>(weights => CheckTable(Counts(weights, i => i))).QuickCheckThrowOnFailure();

    [Fact]
    public void Counts_that_grow_like_Fibonacci_numbers_still_get_16_bits_at_most()
    {
        var counts = new int[256];
        (int a, int b) = (1, 1);
        for (var i = 0; i < 40; i++)
        {
            counts[i * 5] = a;
            (a, b) = (b, a + b);
        }

        CheckTable(counts);
    }

    [Fact]
    public void A_single_symbol_gets_one_bit()
    {
        var counts = new int[256];
        counts[7] = 1000;
        var table = new OptimalHuffman();

        table.Build(counts);

        Assert.Equal((1, 0), (table.Lengths[7], table.Codes[7]));
        Assert.Equal([7], table.Symbols.ToArray());
    }

    [Fact]
    public void Total_length_is_that_of_a_Huffman_tree_where_no_code_is_too_long() =>
        Prop.ForAll<byte[]>(weights =>
        {
            var counts = Counts([.. weights.Select(w => (int)w)], i => i);
            var table = new OptimalHuffman();
            table.Build(counts);
            if (table.Counts[14] == 0 && table.Counts[15] == 0)
            {
                // The reserved symbol with its count of 1 is part of the tree and not of the sum.
                var sum = Enumerable.Range(0, 256).Sum(i => (long)counts[i] * table.Lengths[i]);
                Assert.InRange(sum, TreeCost([.. counts.Where(c => c > 0)]), TreeCost([.. counts.Where(c => c > 0), 1]));
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(SymbolKind.Dc)]
    [InlineData(SymbolKind.Ac)]
    [InlineData(SymbolKind.ProgressiveAc)]
    internal void The_look_up_reads_every_symbol_that_the_table_writes(SymbolKind kind)
    {
        foreach (var seed in Enumerable.Range(0, 20))
        {
            var random = new Random(seed);
            var counts = new int[256];
            var symbols = kind == SymbolKind.Dc ? Enumerable.Range(0, 16) : Enumerable.Range(0, 256);
            foreach (var symbol in symbols)
            {
                counts[symbol] = 1 + (int)Math.Pow(2, random.NextDouble() * 20);
            }

            var table = new OptimalHuffman();
            table.Build(counts);
            var lookup = new HuffmanLookup();
            lookup.Build(HuffmanTable.Read([.. table.Counts, .. table.Symbols])!, kind);
            foreach (var symbol in symbols)
            {
                int size = kind == SymbolKind.Dc ? symbol : symbol & 15, run = symbol >> 4;
                var bits = size == 0 ? 0 : random.Next(1 << size);
                var window =
                    ((ulong)table.Codes[symbol] << size | (uint)bits) << (64 - table.Lengths[symbol] - size)
                        | (ulong)random.NextInt64() >> 31;
                var entry = lookup.First(window);

                var ends = kind != SymbolKind.Dc && size == 0 && run != 15;
                Assert.Equal(table.Lengths[symbol] + size, (int)entry & 63);
                Assert.Equal(kind == SymbolKind.Dc ? 0 : ends ? HuffmanLookup.EndAdvance : run + 1, (int)(entry >> 6) & 255);
                var expected = size > 0 ? HuffmanLookup.Extend(bits, size) : kind == SymbolKind.ProgressiveAc && ends ? run : 0;
                Assert.Equal(expected, (int)entry >> 16);
            }
        }
    }

    [Fact]
    public void A_merged_entry_says_what_its_symbols_say_one_after_the_other()
    {
        var random = new Random(5);
        var counts = new int[256];
        foreach (var symbol in Enumerable.Range(0, 256))
        {
            counts[symbol] = 1 + (1 << (20 - (symbol >> 4) - 2 * (symbol & 15) < 0 ? 0 : 20 - (symbol >> 4) - 2 * (symbol & 15)))
                + random.Next(3);
        }

        var table = new OptimalHuffman();
        table.Build(counts);
        var lookup = new HuffmanLookup();
        lookup.Build(HuffmanTable.Read([.. table.Counts, .. table.Symbols])!, SymbolKind.Ac);
        foreach (var least in (int[])[1, 2, 3, 9])
        {
            lookup.Merge(least);
            var merged = 0;
            for (var i = 0; i < 1 << HuffmanLookup.IndexBits; i++)
            {
                var entry = lookup.Merged[i];
                int left = (int)entry & 63, advance = 0, value = 0, symbols = 0;
                for (var window = (ulong)i << HuffmanLookup.IndexShift; left > 0; symbols++)
                {
                    Assert.True(Math.Abs(value) < least, "a value that counts was skipped");
                    Assert.True(advance < HuffmanLookup.EndAdvance, "a symbol after the end of the block");
                    var one = lookup.First(window);
                    left -= (int)one & 63;
                    advance += (int)(one >> 6) & 255;
                    value = (int)one >> 16;
                    window <<= (int)one;
                }

                Assert.Equal(0, left);
                Assert.Equal(symbols == 0 ? lookup.Single[i] >> 6 & 255 : (uint)advance, entry >> 6 & 255);
                Assert.Equal(symbols == 0 ? (int)entry >> 16 : Math.Abs(value) < least ? 0 : value, (int)entry >> 16);
                merged += symbols > 1 ? 1 : 0;
            }

            Assert.True(merged > 100 || least == 1);
        }
    }

    [Theory]
    [InlineData("0300000000000000000000000000000000010203")]
    [InlineData("000000000000000000000000000000")]
    [InlineData("0200000000000000000000000000000001")]
    public void Tables_that_are_no_prefix_code_or_lack_symbols_are_refused(string hex) =>
        Assert.Null(HuffmanTable.Read(Convert.FromHexString(hex)));

    private static int[] Counts(int[] weights, Func<int, int> place)
    {
        var counts = new int[256];
        for (var i = 0; i < Math.Min(256, weights.Length); i++)
        {
            counts[place(i)] = Math.Abs(weights[i] % 1_000_000);
        }

        return counts;
    }

    private static void CheckTable(int[] counts)
    {
        var table = new OptimalHuffman();
        table.Build(counts);

        var used = Enumerable.Range(0, 256).Where(i => counts[i] > 0).ToArray();
        Assert.Equal(used.Order(), table.Symbols.ToArray().Select(s => (int)s).Order());
        Assert.Equal(used.Length, table.Counts.ToArray().Sum(c => c));
        var codes = used
            .Select(i => Convert.ToString(table.Codes[i], 2).PadLeft(table.Lengths[i], '0'))
            .Order(StringComparer.Ordinal)
            .ToArray();
        foreach (var (code, symbol) in used.Select(i => (Convert.ToString(table.Codes[i], 2).PadLeft(table.Lengths[i], '0'), i)))
        {
            Assert.InRange(table.Lengths[symbol], 1, 16);
            Assert.Equal(table.Lengths[symbol], code.Length);
            Assert.Contains('0', code);
        }

        foreach (var (code, next) in codes.Zip(codes.Skip(1)))
        {
            Assert.False(next.StartsWith(code, StringComparison.Ordinal), $"{code} begins {next}");
        }

        if (used.Length > 0)
        {
            Assert.NotNull(HuffmanTable.Read([.. table.Counts, .. table.Symbols]));
        }
    }

    /// <summary>Sum of inner nodes of a Huffman tree, which is the coded length.</summary>
    private static long TreeCost(int[] weights)
    {
        var queue = new PriorityQueue<long, long>(weights.Select(w => ((long)w, (long)w)));
        long cost = 0;
        while (queue.Count > 1)
        {
            var sum = queue.Dequeue() + queue.Dequeue();
            cost += sum;
            queue.Enqueue(sum, sum);
        }

        return cost;
    }
}
