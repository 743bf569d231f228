using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Halftone.Codec.Webp;

/// <summary>
/// Reads the binary decisions of one partition (RFC 6386, section 7). Past the end comes what follows in the data;
/// <see cref="IsPastEnd"/> tells
/// afterwards, so that the inner loops need not ask for every decision.
/// </summary>
/// <param name="data">The frame and at least <see cref="SlackBytes"/> behind it.</param>
/// <param name="start">Index of the partition's first byte.</param>
/// <param name="end">Index after its last byte.</param>
internal ref struct BoolReader(ReadOnlySpan<byte> data, int start, int end)
{
    /// <summary>The reader loads 8 bytes at a time.</summary>
    public const int SlackBytes = 8;

    private readonly ReadOnlySpan<byte> data = data;
    private BoolState state = new(0, 255, 0, start, end);

    /// <summary>What it takes to go on later; the reader itself lives on the stack.</summary>
    public readonly BoolState State => state;

    /// <summary>
    /// More may have been consumed than there is. The last eight bits of a partition are its writer's padding, so a whole one never comes
    /// here;
    /// libwebp complains at the same bit or a few later. Until then no decision depends on bits behind the end.
    /// </summary>
    public readonly bool IsPastEnd => 8L * (state.Next - state.End) - state.Count > -8;

    /// <summary>A reader that goes on in the same data.</summary>
    public static BoolReader At(ReadOnlySpan<byte> data, BoolState state) => new(data, 0, 0) { state = state };

    /// <summary>The registers, for a loop that keeps them; it gives them back by <see cref="Leave"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly BoolWindow Enter() => new(data, state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(in BoolWindow window) => state = new(window.Value, window.Range, window.Count, window.Next, state.End);

    /// <summary>One decision whose probability of being 0 is <paramref name="probability"/> / 256.</summary>
    public int Bit(int probability)
    {
        var window = Enter();
        window.Refill(16);
        var bit = window.Bit(probability);
        Leave(window);
        return bit;
    }

    public bool Flag() => Bit(128) != 0;

    /// <summary>An unsigned number, the highest bit first.</summary>
    public int Number(int bits)
    {
        var value = 0;
        for (; bits > 0; bits--)
        {
            value = value << 1 | Bit(128);
        }

        return value;
    }

    /// <summary>A number and its sign, or 0 where a flag says that there is none.</summary>
    public int OptionalSigned(int bits)
    {
        if (!Flag())
        {
            return 0;
        }

        var value = Number(bits);
        return Flag() ? -value : value;
    }
}

/// <summary>Where a <see cref="BoolReader"/> stands.</summary>
/// <param name="Value">The window: compared by its highest byte.</param>
/// <param name="Range">128 to 255.</param>
/// <param name="Count">Bits that are in the window, 0 to 64.</param>
/// <param name="Next">Index of the next byte to load; past the end it counts on.</param>
/// <param name="End">Index after the partition's last byte.</param>
internal readonly record struct BoolState(ulong Value, uint Range, int Count, int Next, int End);

/// <summary>
/// The registers of a <see cref="BoolReader"/> while a loop runs. Never passed by reference, or they would be no registers.
/// </summary>
internal ref struct BoolWindow
{
    private readonly ReadOnlySpan<byte> data;
    private ulong value;
    private uint range;
    private int count;
    private int next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public BoolWindow(ReadOnlySpan<byte> data, BoolState state)
    {
        this.data = data;
        (value, range, count, next) = (state.Value, state.Range, state.Count, state.Next);
    }

    public readonly ulong Value => value;

    public readonly uint Range => range;

    public readonly int Count => count;

    public readonly int Next => next;

    /// <summary>Makes sure of at least <paramref name="bits"/>, 56 at most. One decision looks at 8 and consumes at most 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Refill(int bits)
    {
        if (count < bits)
        {
            if (next <= data.Length - sizeof(ulong))
            {
                // Bits beyond those that are counted come again with the next load and are the same. The line above is the bounds check.
                var bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(data), next));
                value |= (BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(bytes) : bytes) >> count;
            }

            next += (63 - count) >> 3;
            count |= 56;
        }
    }

    /// <summary>One decision whose probability of being 0 is <paramref name="probability"/> / 256.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Bit(int probability) => IsOne(probability) ? 1 : 0;

    /// <summary>The same. Both ways end for themselves, so that the caller's branch is this one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsOne(int probability)
    {
        var split = 1 + ((range - 1) * (uint)probability >> 8);
        var top = (ulong)split << 56;
        if (value >= top)
        {
            range -= split;
            value -= top;
            Normalize();
            return true;
        }

        range = split;
        Normalize();
        return false;
    }

    /// <summary>A sign, 0 or -1, without a branch: it cannot be foretold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Sign()
    {
        var split = (range + 1) >> 1;
        var top = (ulong)split << 56;
        var sign = value >= top ? -1 : 0;
        range = sign != 0 ? range - split : split;
        value -= top & (ulong)(long)sign;
        Normalize();
        return sign;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Normalize()
    {
        var shift = BitOperations.LeadingZeroCount(range) - 24;
        range <<= shift;
        value <<= shift;
        count -= shift;
    }
}
