using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Webp;

/// <summary>
/// Writes binary decisions (RFC 6386, section 7.3). Bits gather in a window and leave it 32 at a time, when a carry may still run back
/// through the
/// bytes that are written.
/// </summary>
internal sealed class BoolWriter
{
    private byte[] bytes = new byte[1 << 16];
    private ulong low;
    private uint range;
    private int pending, length;

    /// <summary>What has been written; whole after <see cref="Finish"/>.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, length);

    public void Start()
    {
        (low, range, pending, length) = (0, 255, 0, 0);
    }

    /// <summary>One decision whose probability of being 0 is <paramref name="probability"/> / 256.</summary>
    public void Put(int bit, int probability)
    {
        var split = 1 + ((range - 1) * (uint)probability >> 8);
        if (bit != 0)
        {
            low += split;
            range -= split;
        }
        else
        {
            range = split;
        }

        var shift = BitOperations.LeadingZeroCount(range) - 24;
        range <<= shift;
        low <<= shift;
        pending += shift;
        if (pending >= 32)
        {
            MakeRoom(sizeof(uint));
            length = Flush(bytes, length, ref low, ref pending);
        }
    }

    public void Flag(bool value) => Put(value ? 1 : 0, 128);

    public void Number(int value, int bits)
    {
        while (bits-- > 0)
        {
            Put(value >> bits & 1, 128);
        }
    }

    /// <summary>A number and its sign, or a flag that says there is none where it is 0.</summary>
    public void OptionalSigned(int value, int bits)
    {
        Flag(value != 0);
        if (value != 0)
        {
            Number(Math.Abs(value), bits);
            Flag(value < 0);
        }
    }

    /// <summary>Decisions as <see cref="DecisionList"/> has them. No branch depends on them.</summary>
    public void PutAll(ReadOnlySpan<ushort> decisions, ReadOnlySpan<byte> probabilities)
    {
        MakeRoom(decisions.Length + sizeof(ulong)); // a decision takes seven bits at most
        ulong low = this.low;
        var range = this.range;
        int pending = this.pending, length = this.length;
        var bytes = this.bytes;
        foreach (var decision in decisions)
        {
            var split = 1 + ((range - 1) * probabilities[decision >> 1] >> 8);
            var one = (uint)-(decision & 1); // all bits for a 1
            low += split & one;
            range = (split & ~one) | ((range - split) & one);
            var shift = BitOperations.LeadingZeroCount(range) - 24;
            range <<= shift;
            low <<= shift;
            pending += shift;
            if (pending >= 32)
            {
                length = Flush(bytes, length, ref low, ref pending);
            }
        }

        (this.low, this.range, this.pending, this.length) = (low, range, pending, length);
    }

    /// <summary>Writes what is in the window, and eight bits that the reader looks ahead.</summary>
    public void Finish()
    {
        MakeRoom(2 * sizeof(ulong));
        var total = pending + 8;
        var padding = -total & 7;
        low <<= padding;
        total += padding;
        if (low >> total != 0)
        {
            Carry(bytes, length);
        }

        for (var shift = total - 8; shift >= 0; shift -= 8)
        {
            bytes[length++] = (byte)(low >> shift);
        }
    }

    /// <summary>Gives memory back where it is more than <paramref name="limit"/> bytes.</summary>
    public void Trim(int limit) => bytes = bytes.Length > limit ? new byte[1 << 16] : bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Flush(byte[] bytes, int length, ref ulong low, ref int pending)
    {
        var keep = pending - 32 + 8;
        var top = low >> keep;
        if (top >> 32 != 0)
        {
            Carry(bytes, length);
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(length), (uint)top);
        low &= (1ul << keep) - 1;
        pending -= 32;
        return length + sizeof(uint);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Carry(byte[] bytes, int length)
    {
        var at = length - 1;
        while (++bytes[at] == 0)
        {
            at--;
        }
    }

    private void MakeRoom(int more)
    {
        if (bytes.Length - length < more)
        {
            Array.Resize(ref bytes, Math.Max(length + more, 2 * bytes.Length));
        }
    }
}
