using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>Walks the chunks of a PNG by their lengths (PNG, third edition, section 5.3); looks into none of them.</summary>
internal ref struct PngChunks(ReadOnlySpan<byte> source)
{
    private const int SignatureBytes = 8, AroundBody = 12;

    private readonly ReadOnlySpan<byte> source = source;

    /// <summary>Four letters.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

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
        Name = chunk.Slice(4, 4);
        End += (int)length;
        return true;
    }

    /// <summary>Whether it is an animation, which says so before its first picture data.</summary>
    public static bool IsAnimated(ReadOnlySpan<byte> source)
    {
        var chunks = new PngChunks(source);
        while (chunks.Next() && !chunks.Name.SequenceEqual("IDAT"u8))
        {
            if (chunks.Name.SequenceEqual("acTL"u8))
            {
                return true;
            }
        }
        return false;
    }
}
