using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>Walks the boxes of an ISO media file, or of a box that holds boxes (ISO/IEC 14496-12, section 4.2).</summary>
/// <param name="source">What holds the boxes.</param>
/// <param name="at">Index of the first box.</param>
internal ref struct IsoBoxes(ReadOnlySpan<byte> source, int at = 0)
{
    private const int HeaderBytes = 8, LongHeaderBytes = 16;

    private readonly ReadOnlySpan<byte> source = source;
    private int at = at;

    /// <summary>Four letters.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Header and body.</summary>
    public ReadOnlySpan<byte> Whole { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>Index of the body in what holds the boxes.</summary>
    public int BodyAt { get; private set; }

    /// <summary>Every byte belonged to a box.</summary>
    public readonly bool AtEnd => at == source.Length;

    /// <summary>False at the end and at a box that does not fit. A length of 0 means the rest, and 1 a length in 64 bits.</summary>
    public bool Next()
    {
        var rest = at <= source.Length ? source[at..] : default;
        if (rest.Length < HeaderBytes)
        {
            return false;
        }

        ulong length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        var header = HeaderBytes;
        if (length == 1)
        {
            if (rest.Length < LongHeaderBytes)
            {
                return false;
            }

            header = LongHeaderBytes;
            length = BinaryPrimitives.ReadUInt64BigEndian(rest[HeaderBytes..]);
        }

        length = length == 0 ? (ulong)rest.Length : length;
        if (length < (ulong)header || length > (ulong)rest.Length)
        {
            return false;
        }

        Whole = rest[..(int)length];
        Name = Whole.Slice(4, 4);
        Body = Whole[header..];
        BodyAt = at + header;
        at += (int)length;
        return true;
    }
}
