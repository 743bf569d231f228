namespace Halftone.Codec.Jpeg;

/// <summary>
/// The entropy-coded data of one scan with its byte stuffing removed and its restart markers taken as ends of segments
/// (ITU-T T.81, B.1.1.5, F.1.2.3).
/// </summary>
internal sealed class ScanData : IDisposable
{
    /// <summary>The reader loads 8 bytes at a time.</summary>
    private const int SlackBytes = 8;

    private readonly NativeBuffer<byte> bytes = new();
    private int[] starts = new int[64];

    /// <summary>Restart intervals found; 1 where the scan has no restart markers.</summary>
    public int SegmentCount { get; private set; }

    /// <summary>Length of all segments together.</summary>
    public int TotalBytes => starts[SegmentCount];

    /// <summary>Every restart marker had the number that was due.</summary>
    public bool RestartsInOrder { get; private set; }

    /// <summary>
    /// Copies the data that starts at <paramref name="position"/>; returns the index of the marker that ends it, or the source's
    /// length where none does.
    /// </summary>
    /// <param name="hasRestarts">Without a restart interval a restart marker ends the scan like any other.</param>
    public int Read(ReadOnlySpan<byte> source, int position, bool hasRestarts)
    {
        bytes.Reserve(source.Length - position + SlackBytes);
        var target = bytes.Slice(0, source.Length - position + SlackBytes);
        var length = 0;
        SegmentCount = 0;
        RestartsInOrder = true;
        starts[0] = 0;
        while (position < source.Length)
        {
            var run = source[position..].IndexOf((byte)0xFF);
            run = run < 0 ? source.Length - position : run;
            source.Slice(position, run).CopyTo(target[length..]);
            length += run;
            position += run;
            if (position + 1 >= source.Length)
            {
                position = source.Length;
                break;
            }

            var follower = source[position + 1];
            if (follower == 0)
            {
                target[length++] = 0xFF;
                position += 2;
            }
            else if (follower == 0xFF)
            {
                position++;
            }
            else if (hasRestarts && follower is >= Marker.Rst0 and <= Marker.Rst7)
            {
                RestartsInOrder &= (SegmentCount & 7) == follower - Marker.Rst0;
                EndSegment(length);
                position += 2;
            }
            else
            {
                break;
            }
        }

        EndSegment(length);
        target.Slice(length, SlackBytes).Clear();
        return position;
    }

    /// <summary>A reader over one restart interval.</summary>
    public BitReader Segment(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)SegmentCount);
        return new(Bytes, starts[index], starts[index + 1]);
    }

    /// <summary>A reader that goes on where another one of this scan stopped.</summary>
    public BitReader Resume(BitPosition position) => BitReader.At(Bytes, position);

    private ReadOnlySpan<byte> Bytes => bytes.Slice(0, TotalBytes + SlackBytes);

    public void Trim(long maxBytes) => bytes.Trim(maxBytes);

    public void Dispose() => bytes.Dispose();

    private void EndSegment(int length)
    {
        if (++SegmentCount == starts.Length)
        {
            Array.Resize(ref starts, starts.Length * 2);
        }

        starts[SegmentCount] = length;
    }
}
