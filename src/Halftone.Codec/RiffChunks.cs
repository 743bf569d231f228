using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>Walks the chunks of a RIFF file behind its header, or of a chunk that holds chunks (RFC 9649, section 2.3).</summary>
internal ref struct RiffChunks(ReadOnlySpan<byte> source)
{
    private const int HeaderBytes = 8;

    private ReadOnlySpan<byte> rest = source;

    /// <summary>Four letters.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>Every byte belonged to a chunk.</summary>
    public readonly bool AtEnd => rest.IsEmpty;

    /// <summary>False at the end and at a chunk that does not fit. The last chunk may lack its byte of padding.</summary>
    public bool Next()
    {
        if (rest.Length < HeaderBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        if (length > rest.Length - HeaderBytes)
        {
            return false;
        }

        Name = rest[..4];
        Body = rest.Slice(HeaderBytes, (int)length);
        rest = rest[(int)Math.Min(rest.Length, HeaderBytes + length + (length & 1))..];
        return true;
    }
}
