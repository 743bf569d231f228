using System.Buffers.Binary;

namespace Halftone.Codec.Tests.Images;

/// <summary>A directory that a test writes: its samples in one strip, and what differs from a plain picture.</summary>
/// <param name="Samples">As they lie in the file.</param>
internal sealed record TiffPart(int Width, int Height, int Bands, int Bits, byte[] Samples)
{
    public int? Photometric { get; init; }

    public int Compression { get; init; } = 1;

    /// <summary>1 unsigned, 3 floating point.</summary>
    public int SampleFormat { get; init; } = 1;

    /// <summary>1 for a smaller copy.</summary>
    public int Subfile { get; init; }

    public int[] Extra { get; init; } = [];

    /// <summary>Directories that hang on this one.</summary>
    public TiffPart[] Subs { get; init; } = [];
}

/// <summary>TIFF of one strip a directory, little endian, written by hand (TIFF 6.0), since the codec's libvips writes none.</summary>
internal static class TiffFile
{
    public static byte[] Write(int width, int height, int bands, int bitsPerSample, ReadOnlySpan<byte> littleEndianSamples) =>
        Write(new TiffPart(width, height, bands, bitsPerSample, littleEndianSamples.ToArray()));

    public static byte[] Write(params TiffPart[] pages)
    {
        var file = new List<byte>([.. "II*\0"u8, 0, 0, 0, 0]);
        var link = 4;
        foreach (var page in pages)
        {
            link = Add(file, page, link);
        }

        return [.. file];
    }

    /// <summary>Appends a directory and lets what stands at <paramref name="link"/> lead to it.</summary>
    /// <returns>Where the way to the next directory stands.</returns>
    private static int Add(List<byte> file, TiffPart part, int link)
    {
        var subs = new List<int>();
        foreach (var sub in part.Subs)
        {
            var place = file.Count;
            file.AddRange(new byte[4]);
            Add(file, sub, place);
            subs.Add(BinaryPrimitives.ReadInt32LittleEndian(file.GetRange(place, 4).ToArray()));
        }

        var strip = file.Count;
        file.AddRange(part.Samples);
        file.AddRange(new byte[file.Count & 1]);
        var alike = Enumerable.Repeat(part.Bits, part.Bands).ToArray();
        (int Tag, int Type, int[] Values)[] entries =
        [
            (254, 4, [part.Subfile]), (256, 4, [part.Width]), (257, 4, [part.Height]), (258, 3, alike), (259, 3, [part.Compression]),
            (262, 3, [part.Photometric ?? (part.Bands < 3 ? 1 : 2)]), (273, 4, [strip]), (277, 3, [part.Bands]), (278, 4, [part.Height]),
            (279, 4, [part.Samples.Length]), (330, 4, [.. subs]), (338, 3, part.Extra), (339, 3, [.. alike.Select(_ => part.SampleFormat)]),
        ];
        entries = [.. entries.Where(entry => entry.Values.Length > 0)];
        var values = entries.Select(entry => Bytes(file, entry.Type, entry.Values)).ToArray();
        var directory = file.Count;
        file.AddRange(UInt16(entries.Length));
        for (var i = 0; i < entries.Length; i++)
        {
            file.AddRange([.. UInt16(entries[i].Tag), .. UInt16(entries[i].Type), .. UInt32(entries[i].Values.Length), .. values[i]]);
        }

        var next = file.Count;
        file.AddRange(new byte[4]);
        for (var i = 0; i < 4; i++)
        {
            file[link + i] = UInt32(directory)[i];
        }

        return next;
    }

    /// <summary>The four bytes of an entry: its values, or where they stand.</summary>
    private static byte[] Bytes(List<byte> file, int type, int[] values)
    {
        byte[] bytes = [.. values.SelectMany(value => type == 3 ? UInt16(value) : UInt32(value))];
        if (bytes.Length <= 4)
        {
            return [.. bytes, .. new byte[4 - bytes.Length]];
        }

        var place = file.Count;
        file.AddRange(bytes);
        return UInt32(place);
    }

    private static byte[] UInt16(int value) => [(byte)value, (byte)(value >> 8)];

    private static byte[] UInt32(int value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];
}
