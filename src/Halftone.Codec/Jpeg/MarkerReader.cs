using System.Buffers.Binary;

namespace Halftone.Codec.Jpeg;

/// <summary>What the next marker is, or why there is none.</summary>
internal enum MarkerStatus
{
    /// <summary>A marker with its segment; for EOI the segment is empty.</summary>
    Found,
    /// <summary>The file ends before the segment does.</summary>
    Truncated,
    /// <summary>Bytes that belong to no segment stand where a marker should.</summary>
    Garbage,
}

/// <summary>Walks the marker segments of a JPEG (ITU-T T.81, B.1.1).</summary>
internal ref struct MarkerReader(ReadOnlySpan<byte> source, int position)
{
    private readonly ReadOnlySpan<byte> source = source;

    /// <summary>Index of the next byte to read.</summary>
    public int Position { get; private set; } = position;

    /// <summary>Index of the FF of the marker that <see cref="Next"/> found.</summary>
    public int Start { get; private set; }

    /// <summary>Second byte of the marker that <see cref="Next"/> found.</summary>
    public byte Marker { get; private set; }

    /// <summary>That marker's parameters, without the two length bytes.</summary>
    public ReadOnlySpan<byte> Segment { get; private set; }

    /// <summary>Reads one marker and its segment; fill bytes (FF) before it are skipped.</summary>
    public MarkerStatus Next()
    {
        var at = Position;
        if (at >= source.Length)
        {
            return MarkerStatus.Truncated;
        }

        if (source[at] != 0xFF)
        {
            return MarkerStatus.Garbage;
        }

        while (at + 1 < source.Length && source[at + 1] == 0xFF)
        {
            at++;
        }

        if (at + 1 >= source.Length)
        {
            return MarkerStatus.Truncated;
        }

        Start = at;
        Marker = source[at + 1];
        if (Marker == Jpeg.Marker.Eoi)
        {
            Segment = default;
            Position = at + 2;
            return MarkerStatus.Found;
        }

        if (Marker is 0 or Jpeg.Marker.Tem or Jpeg.Marker.Soi or (>= Jpeg.Marker.Rst0 and <= Jpeg.Marker.Rst7))
        {
            return MarkerStatus.Garbage;
        }

        if (at + 4 > source.Length)
        {
            return MarkerStatus.Truncated;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(source[(at + 2)..]);
        if (length < 2)
        {
            return MarkerStatus.Garbage;
        }

        if (at + 2 + length > source.Length)
        {
            return MarkerStatus.Truncated;
        }

        Segment = source.Slice(at + 4, length - 2);
        Position = at + 2 + length;
        return MarkerStatus.Found;
    }
}
