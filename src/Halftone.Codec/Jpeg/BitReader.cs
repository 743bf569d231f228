using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Reads bits, most significant first, from entropy-coded data whose byte stuffing is already removed (<see cref="ScanData"/>).
/// It does not check the end with every bit: it may read up to 8 bytes past what it consumed, yields whatever lies there, and
/// <see cref="IsPastEnd"/> tells afterwards. Callers ask at least once per MCU, and the buffer is that much longer.
/// </summary>
internal unsafe struct BitReader(byte* start, byte* end)
{
    private readonly byte* end = end;
    private byte* next = start;
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
        window |= BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(next)) >> count;
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
