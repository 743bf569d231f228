using System.Globalization;

namespace Halftone.Codec.Tests;

[CollectionDefinition(nameof(SourceMemoryTests), DisableParallelization = true)]
[Collection(nameof(SourceMemoryTests))]
public sealed class SourceMemoryTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void It_grows_and_keeps_what_was_written_and_memory_taken_before_stays_good()
    {
        using var memory = new SourceMemory(5_000);
        var early = memory.Memory[..5_000];
        for (var index = 0; index < 5_000; index++)
        {
            early.Span[index] = (byte)(index * 31);
        }

        memory.Grow(64 * MiB);

        Assert.Equal(64 * MiB, memory.GetSpan().Length);
        Assert.Equal(5_000, Enumerable.Range(0, 5_000).Count(index => early.Span[index] == (byte)(index * 31)));
        Assert.Equal(0, memory.GetSpan()[^1]);
    }

    /// <summary>Nothing runs beside it; the collector may still give pages of its own back.</summary>
    [Fact]
    public void Memory_is_used_for_what_was_written_and_given_back_at_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var before = ResidentBytes();
        var memories = Enumerable.Range(0, 50).Select(_ => new SourceMemory(64 * MiB)).ToArray();
        Assert.InRange(ResidentBytes() - before, -16 * MiB, 16 * MiB);

        Array.ForEach(memories, memory => memory.GetSpan()[..(2 * MiB)].Fill(1));
        Assert.InRange(ResidentBytes() - before, 80 * MiB, 120 * MiB);

        Array.ForEach(memories, memory => memory.Dispose());
        Assert.InRange(ResidentBytes() - before, -16 * MiB, 16 * MiB);
    }

    [Fact]
    public void Nothing_of_it_can_be_read_once_it_was_given_back()
    {
        var memory = new SourceMemory(10);
        var taken = memory.Memory;
        memory.Dispose();
        memory.Dispose();

        Assert.Throws<ObjectDisposedException>(() => taken.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Grow(20));
        Assert.Throws<ObjectDisposedException>(() => taken.Pin());
    }

    [Fact]
    public void What_is_pinned_neither_moves_nor_goes()
    {
        using var memory = new SourceMemory(10);
        using (memory.Memory[3..].Pin())
        {
            Assert.Throws<InvalidOperationException>(() => memory.Grow(20));
            Assert.Throws<InvalidOperationException>(memory.Dispose);
        }

        memory.Grow(20);
    }

    private static long ResidentBytes() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
