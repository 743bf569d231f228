using FsCheck;
using FsCheck.Fluent;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Tests.Jpeg;

public sealed class BitRoundTripTests
{
    [Fact]
    public void What_the_writer_writes_the_reader_reads_through_byte_stuffing() =>
        Prop.ForAll<ushort[]>(values => Assert.Equal(values, ReadBack(values))).QuickCheckThrowOnFailure();

    [Fact]
    public void Bytes_of_ones_are_stuffed_and_come_back()
    {
        ushort[] ones = [.. Enumerable.Repeat((ushort)0xFFFF, 100)];

        Assert.Equal(ones, ReadBack(ones));
    }

    [Fact]
    public void Reading_more_bits_than_there_are_is_noticed()
    {
        using var data = new ScanData();
        data.Read([1, 2, 3], 0, hasRestarts: false);
        var reader = data.Segment(0);
        reader.Refill();
        reader.Take(24);
        Assert.False(reader.IsPastEnd);
        Assert.Equal(0, reader.BytesLeft);

        reader.Refill();
        reader.Take(1);

        Assert.True(reader.IsPastEnd);
    }

    [Fact]
    public void Restart_markers_split_the_data_and_any_other_marker_ends_it()
    {
        using var data = new ScanData();
        byte[] source = [9, 0xFF, 0, 0xFF, 0xD0, 8, 0xFF, 0xFF, 0xD1, 7, 6, 0xFF, 0xD9, 5];

        var end = data.Read(source, 0, hasRestarts: true);

        Assert.Equal((11, 3, true, 5), (end, data.SegmentCount, data.RestartsInOrder, data.TotalBytes));
        Assert.Equal([2L, 1, 2], (long[])[data.Segment(0).BytesLeft, data.Segment(1).BytesLeft, data.Segment(2).BytesLeft]);
    }

    [Fact]
    public void A_restart_marker_of_a_wrong_number_is_noticed()
    {
        using var data = new ScanData();

        data.Read([1, 0xFF, 0xD1, 2, 0xFF, 0xD9], 0, hasRestarts: true);

        Assert.False(data.RestartsInOrder);
    }

    private static ushort[] ReadBack(ushort[] values)
    {
        var buffer = new byte[values.Length * 8 + 16];
        var writer = new BitWriter(buffer, 0);
        foreach (var value in values)
        {
            // Lengths from 1 to 16, as the value has them.
            writer.Write(value, Length(value));
        }

        writer.Finish();
        using var data = new ScanData();
        data.Read([.. buffer.AsSpan(0, writer.Length), 0xFF, 0xD9], 0, hasRestarts: false);
        var reader = data.Segment(0);
        var read = new ushort[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            reader.Refill();
            read[i] = (ushort)reader.Take(Length(values[i]));
        }

        Assert.False(reader.IsPastEnd);
        Assert.Equal(0, reader.BytesLeft);
        return read;
    }

    private static int Length(ushort value) => Math.Max(1, 32 - int.LeadingZeroCount(value));
}
