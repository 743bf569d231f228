namespace Halftone.Codec.Jpeg;

/// <summary>
/// The source without the metadata that is dropped and without what follows its end of image: the answer where encoding anew
/// would not make it shorter. Its scans are copied as they are.
/// </summary>
/// <param name="source">The whole file.</param>
/// <param name="endOfImage">Index after the EOI marker.</param>
internal sealed class SourceCopy(JpegMetadata metadata, ReadOnlySpan<byte> source, int endOfImage)
{
    private readonly int sourceLength = source.Length;

    /// <summary>A source without an end marker gets one where something else was left out, so that the copy is never longer.</summary>
    private readonly bool lacksEnd = metadata.Dropped.Count > 0 && !source[..endOfImage].EndsWith((ReadOnlySpan<byte>)[0xFF, Marker.Eoi]);

    /// <summary>Nothing to leave out: the copy is the source.</summary>
    public bool IsSource => metadata.Dropped.Count == 0 && endOfImage == sourceLength;

    public int Length =>
        (lacksEnd ? 2 : 0) + endOfImage - metadata.Dropped.Sum(range => range.End.Value - range.Start.Value) + Orientation(metadata).Length;

    public byte[] Write(ReadOnlySpan<byte> source)
    {
        var copy = new byte[Length];
        // After SOI and a JFIF segment, which has to stand first.
        var inserted = Orientation(metadata);
        var insertAt = 2;
        if (source[2..].StartsWith((ReadOnlySpan<byte>)[0xFF, Marker.App0]) && !metadata.Dropped.Any(range => range.Start.Value == 2))
        {
            insertAt = 4 + (source[4] << 8 | source[5]);
        }

        int from = 0, to = 0;
        Append(source[..insertAt], copy, ref to);
        from = insertAt;
        Append(inserted, copy, ref to);
        foreach (var range in metadata.Dropped)
        {
            Append(source[from..range.Start.Value], copy, ref to);
            from = range.End.Value;
        }

        Append(source[from..endOfImage], copy, ref to);
        if (lacksEnd)
        {
            Append([0xFF, Marker.Eoi], copy, ref to);
        }

        return copy;
    }

    private static void Append(ReadOnlySpan<byte> bytes, byte[] copy, ref int to)
    {
        bytes.CopyTo(copy.AsSpan(to));
        to += bytes.Length;
    }

    private static byte[] Orientation(JpegMetadata metadata) =>
        metadata.Orientation == 1 ? [] : JpegWriter.OrientationSegment(metadata.Orientation);
}
