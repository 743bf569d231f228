using System.Buffers.Binary;

namespace Halftone.Codec.Bare;

/// <summary>Bytes that are appended to.</summary>
/// <param name="capacity">Bytes to begin with.</param>
internal sealed class ByteList(int capacity)
{
    private byte[] bytes = new byte[Math.Max(16, capacity)];

    public int Length { get; private set; }

    /// <summary>What was written so far; good until the next call that adds.</summary>
    public Span<byte> Written => bytes.AsSpan(0, Length);

    public void Add(ReadOnlySpan<byte> more)
    {
        more.CopyTo(Room(more.Length));
    }

    /// <summary>Big endian.</summary>
    public void AddUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Room(sizeof(ushort)), value);

    /// <summary>Big endian.</summary>
    public void AddUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Room(sizeof(uint)), value);

    /// <summary>Big endian.</summary>
    public void AddUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Room(sizeof(ulong)), value);

    public void AddUInt32LittleEndian(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Room(sizeof(uint)), value);

    public void Clear() => Length = 0;

    public byte[] ToArray() => Written.ToArray();

    private Span<byte> Room(int count)
    {
        if (Length + count > bytes.Length)
        {
            Array.Resize(ref bytes, Math.Max(Length + count, checked(bytes.Length * 2)));
        }

        var room = bytes.AsSpan(Length, count);
        Length += count;
        return room;
    }
}
