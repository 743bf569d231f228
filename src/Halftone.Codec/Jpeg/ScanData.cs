namespace Halftone.Codec.Jpeg;

/// <summary>
/// The entropy-coded data of one scan with its byte stuffing removed and its restart markers taken as ends of segments
/// (ITU-T T.81, B.1.1.5, F.1.2.3).
/// </summary>
internal sealed unsafe class ScanData : IDisposable
{
    /// <summary>
    /// Readable bytes behind the data. A decoder looks at the end once per MCU: 10 blocks of 64 symbols of at most 31 bits are
    /// 2480 bytes, and the reader's own look-ahead is 8.
    /// </summary>
    private const int SlackBytes = 2560;

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
        bytes.Reserve((nuint)(source.Length - position + SlackBytes));
        var target = new Span<byte>(bytes.Start, source.Length - position);
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
        new Span<byte>(bytes.Start + length, SlackBytes).Clear();
        return position;
    }

    /// <summary>A reader over one restart interval.</summary>
    public BitReader Segment(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)SegmentCount);
        return new(bytes.Start + starts[index], bytes.Start + starts[index + 1]);
    }

    public void Trim(nuint maxBytes) => bytes.Trim(maxBytes);

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
