using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>Walks the chunks of a PNG by their lengths (PNG, third edition, section 5.3); the bodies are not looked into.</summary>
internal ref struct PngChunks(ReadOnlySpan<byte> source)
{
    private const int SignatureBytes = 8, AroundBody = 12;

    private readonly ReadOnlySpan<byte> source = source;

    /// <summary>Four letters.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>Length, name, body and checksum.</summary>
    public ReadOnlySpan<byte> Whole { get; private set; }

    /// <summary>Where the next chunk begins: behind the checksum of this one.</summary>
    public int End { get; private set; } = SignatureBytes;

    /// <summary>False at the end, and where a chunk does not fit.</summary>
    public bool Next()
    {
        if (source.Length - End < AroundBody)
        {
            return false;
        }

        var chunk = source[End..];
        var length = AroundBody + (long)BinaryPrimitives.ReadUInt32BigEndian(chunk);
        if (length > chunk.Length)
        {
            return false;
        }

        Whole = chunk[..(int)length];
        Name = Whole.Slice(4, 4);
        Body = Whole[8..^4];
        End += (int)length;
        return true;
    }
}
