using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Reads bits, most significant first, from entropy-coded data whose byte stuffing is already removed (<see cref="ScanData"/>).
/// Past the end come zeros; <see cref="IsPastEnd"/> tells afterwards, so that the inner loops need not ask for every bit.
/// </summary>
/// <param name="data">The data and at least 8 readable bytes behind them.</param>
/// <param name="start">Index of the first byte.</param>
/// <param name="end">Index after the last byte.</param>
internal ref struct BitReader(ReadOnlySpan<byte> data, int start, int end)
{
    private readonly ReadOnlySpan<byte> data = data;
    private readonly int end = end;
    private readonly int lastLoad = data.Length - sizeof(ulong);
    private int next = start;
    private ulong window;
    private int count;

    /// <summary>The next bits, the first of them in the highest place. At least 32 are there after <see cref="Refill"/>.</summary>
    public readonly ulong Window
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => window;
    }

    /// <summary>More bits have been consumed than there are.</summary>
    public readonly bool IsPastEnd
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ((long)(next - end) << 3) > count;
    }

    /// <summary>Whole bytes that have not been touched by any consumed bit; negative past the end.</summary>
    public readonly long BytesLeft => (((long)(end - next) << 3) + count) >> 3;

    /// <summary>What it takes to go on later where this reader stopped.</summary>
    public readonly BitPosition Position => new(next, end, window, count);

    /// <summary>A reader that goes on at a position in the same data.</summary>
    public static BitReader At(ReadOnlySpan<byte> data, BitPosition position) =>
        new(data, position.Next, position.End) { window = position.Window, count = position.Count };

    /// <summary>Makes at least 32 bits available: the longest code with its value has 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Refill()
    {
        if (count < 32)
        {
            RefillAlways();
        }
    }

    /// <summary>The same without the branch, for where it would mostly be taken; 56 bits are there afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RefillAlways()
    {
        if ((uint)next <= (uint)lastLoad)
        {
            // The line above is the bounds check; a slice would make a second one.
            var bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(data), next));
            window |= (BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(bytes) : bytes) >> count;
        }

        next += (63 - count) >> 3;
        count |= 56;
    }

    /// <summary>Consumes <paramref name="bits"/>, 0 to 31; higher bits of the argument are ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int bits)
    {
        window <<= bits;
        count -= bits & 63;
    }

    /// <summary>Consumes 0 to 31 bits, of which a refill has made sure, and yields them as a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Take(int bits)
    {
        // Two shifts, because a shift by 64 would be one by 0.
        var value = (uint)(window >> 1 >> (63 - bits));
        Skip(bits);
        return value;
    }
}

/// <summary>Where a <see cref="BitReader"/> stands.</summary>
internal readonly record struct BitPosition(int Next, int End, ulong Window, int Count);
