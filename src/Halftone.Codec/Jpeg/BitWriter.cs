using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Writes bits, most significant first, and stuffs a zero after every FF byte (ITU-T T.81, F.1.2.3). Each write may store up to
/// 8 bytes.
/// </summary>
internal ref struct BitWriter(Span<byte> target, int at)
{
    private Span<byte> target = target;
    private int at = at;
    private ulong pending;
    private int count;

    /// <summary>Bytes written so far, those in front of the start included.</summary>
    public readonly int Length => at;

    /// <summary>Goes on at the same place in a larger copy of the target.</summary>
    public void MoveTo(Span<byte> larger) => target = larger;

    /// <summary>
    /// Appends the lowest <paramref name="length"/> bits, 0 to 32, of <paramref name="bits"/>; the bits above them must be 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(uint bits, int length)
    {
        pending = pending << length | bits;
        count += length;
        if (count >= 32)
        {
            count -= 32;
            var four = (uint)(pending >> count);
            // A byte is FF exactly where adding one carries out of its highest bit, seen without the carries from below; the test
            // may see one too many, never one too few.
            if ((four & ~(four + 0x01010101u) & 0x80808080u) == 0)
            {
                BinaryPrimitives.WriteUInt32BigEndian(target[at..], four);
                at += 4;
            }
            else
            {
                WriteStuffed(four);
            }
        }
    }

    /// <summary>Fills the last byte with ones (F.1.2.3) and writes it.</summary>
    public void Finish()
    {
        while (count > 0)
        {
            var one = count >= 8 ? (byte)(pending >> (count - 8)) : (byte)(pending << (8 - count) | ((1u << (8 - count)) - 1));
            WriteByte(one);
            count -= 8;
        }

        count = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteStuffed(uint four)
    {
        for (var shift = 24; shift >= 0; shift -= 8)
        {
            WriteByte((byte)(four >> shift));
        }
    }

    private void WriteByte(byte value)
    {
        target[at++] = value;
        if (value == 0xFF)
        {
            target[at++] = 0;
        }
    }
}
