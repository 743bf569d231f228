using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>Walks the boxes of an ISO media file, or of a box that holds boxes (ISO/IEC 14496-12, section 4.2).</summary>
internal ref struct IsoBoxes(ReadOnlySpan<byte> source)
{
    private const int HeaderBytes = 8;

    private ReadOnlySpan<byte> rest = source;

    /// <summary>Four letters.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>Every byte belonged to a box.</summary>
    public readonly bool AtEnd => rest.IsEmpty;

    /// <summary>False at the end and at a box that does not fit; the forms with a 64-bit length, or none, count as not fitting.</summary>
    public bool Next()
    {
        if (rest.Length < HeaderBytes)
        {
            return false;
        }
        var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (length < HeaderBytes || length > rest.Length)
        {
            return false;
        }
        Name = rest.Slice(4, 4);
        Body = rest[HeaderBytes..(int)length];
        rest = rest[(int)length..];
        return true;
    }
}
