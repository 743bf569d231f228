using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>One directory of a TIFF: a picture, a smaller copy of one, or a mask (TIFF 6.0, section 2).</summary>
internal sealed class TiffDirectory
{
    /// <summary>0-based place in the chain of pages; of a sub-directory, its page's.</summary>
    public required int Page { get; init; }

    /// <summary>0-based place among the page's sub-directories; -1 for the page itself.</summary>
    public required int Sub { get; init; }

    /// <summary>Values by tag. Of long arrays only the first 16.</summary>
    public Dictionary<int, long[]> Values { get; } = [];

    /// <summary>Where the value of a tag stands in the file.</summary>
    public Dictionary<int, int> Places { get; } = [];

    /// <summary>Bytes of a tag's value.</summary>
    public Dictionary<int, int> Lengths { get; } = [];

    public int Width => (int)Math.Clamp(Value(TiffTag.Width), 0, int.MaxValue);

    public int Height => (int)Math.Clamp(Value(TiffTag.Height), 0, int.MaxValue);

    public int Photometric => (int)Value(TiffTag.Photometric, -1);

    public int Compression => (int)Value(TiffTag.Compression, 1);

    public int Samples => (int)Math.Clamp(Value(TiffTag.SamplesPerPixel, 1), 0, ushort.MaxValue);

    /// <summary>Bits of a sample; -1 where they differ.</summary>
    public int Bits => Same(TiffTag.BitsPerSample, 1);

    /// <summary>
    /// 1 unsigned, 2 signed, 3 floating point, 5 and 6 complex; -1 where they differ. What is undefined (4) counts as unsigned.
    /// </summary>
    public int SampleFormat => Same(TiffTag.SampleFormat, 1) is 4 ? 1 : Same(TiffTag.SampleFormat, 1);

    /// <summary>What each sample beyond the colours is: 0 unspecified, 1 premultiplied alpha, 2 alpha.</summary>
    public long[] Extra => Values.GetValueOrDefault(TiffTag.ExtraSamples, []);

    /// <summary>A smaller copy, or a mask: no picture of its own.</summary>
    public bool IsAside =>
        (Value(TiffTag.NewSubfileType) & 5) != 0 || Value(TiffTag.SubfileType) == 2 || Photometric == TiffTag.MaskPhotometric;

    public bool IsCameraRaw => Photometric is 32803 or 34892 || Compression is 32767 or 34713 or 65535;

    /// <summary>Samples of a pixel's colour; 0 where the kind is not known.</summary>
    public int Colours => Photometric switch { 0 or 1 or 3 => 1, 2 or 6 or 8 or 9 or 10 => 3, 5 => 4, _ => 0 };

    public bool IsTwoColour => Bits == 1 && Samples == 1 && Photometric is 0 or 1 or 3;

    public long Value(int tag, long otherwise = 0) => Values.TryGetValue(tag, out var values) && values.Length > 0 ? values[0] : otherwise;

    private int Same(int tag, int otherwise) => !Values.TryGetValue(tag, out var values) || values.Length == 0 ? otherwise
        : Array.TrueForAll(values, value => value == values[0]) ? (int)values[0] : -1;
}

/// <summary>Tags of TIFF 6.0 and its supplements that matter here.</summary>
internal static class TiffTag
{
    public const int NewSubfileType =
        254, SubfileType = 255, Width = 256, Height = 257, BitsPerSample = 258, Compression = 259, Photometric = 262,
        Artist =
            315, SamplesPerPixel =
                277, SubDirectories = 330, InkSet = 332, ExtraSamples = 338, SampleFormat = 339, Xmp = 700, Copyright = 33432, Iptc = 33723,
        Photoshop = 34377, DngVersion = 50706;

    public const int MaskPhotometric = 4;
}

/// <summary>Reads the directories of a TIFF or BigTIFF; the picture data is not looked into.</summary>
internal sealed class TiffPages
{
    /// <summary>A file of more pages is no picture, and one whose pages form a ring has no end.</summary>
    private const int MostPages = 2_000, MostSubs = 32, MostEntries = 1_000, MostValues = 16;

    private readonly List<TiffDirectory> directories = [];

    public IReadOnlyList<TiffDirectory> Directories => directories;

    /// <summary>
    /// The first directory that is neither a smaller copy nor a mask, sub-directories included; the first of all where every one says that
    /// it is aside.
    /// </summary>
    public TiffDirectory Picture =>
        directories.Find(directory => !directory.IsAside && directory.Sub < 0)
            ?? directories.Find(directory => !directory.IsAside) ?? directories[0];

    public bool IsCameraRaw => directories.Exists(directory => directory.IsCameraRaw || directory.Values.ContainsKey(TiffTag.DngVersion));

    /// <summary>Null where there is not one whole directory.</summary>
    public static TiffPages? Read(ReadOnlySpan<byte> source)
    {
        if (source.Length < 8)
        {
            return null;
        }

        var isLittle = source[0] == (byte)'I';
        var isBig = source[isLittle ? 2 : 3] == 43;
        var file = new TiffPages();
        var seen = new HashSet<long>();
        var at = isBig ? (source.Length < 16 ? 0 : Number(source, 8, 8, isLittle)) : Number(source, 4, 4, isLittle);
        for (var page = 0; page < MostPages && at > 0 && seen.Add(at); page++)
        {
            if (ReadDirectory(source, at, isLittle, isBig, page, -1, out at) is not { } directory)
            {
                break;
            }

            file.directories.Add(directory);
            var subs = directory.Values.GetValueOrDefault(TiffTag.SubDirectories, []);
            for (var sub = 0; sub < Math.Min(subs.Length, MostSubs); sub++)
            {
                if (seen.Add(subs[sub]) && ReadDirectory(source, subs[sub], isLittle, isBig, page, sub, out _) is { } inner)
                {
                    file.directories.Add(inner);
                }
            }
        }

        return file.directories.Count > 0 ? file : null;
    }

    private static TiffDirectory? ReadDirectory(
        ReadOnlySpan<byte> source, long at, bool isLittle, bool isBig, int page, int sub, out long next)
    {
        int countBytes = isBig ? 8 : 2, entryBytes = isBig ? 20 : 12, offsetBytes = isBig ? 8 : 4;
        next = 0;
        if (at < 8 || at > source.Length - countBytes)
        {
            return null;
        }

        var count = Number(source, at, countBytes, isLittle);
        var start = at + countBytes;
        if (count is <= 0 or > MostEntries || start + count * entryBytes > source.Length)
        {
            return null;
        }

        var directory = new TiffDirectory { Page = page, Sub = sub };
        for (var i = 0L; i < count; i++)
        {
            ReadEntry(source, start + i * entryBytes, isLittle, offsetBytes, directory);
        }

        var link = start + count * entryBytes;
        next = link <= source.Length - offsetBytes ? Number(source, link, offsetBytes, isLittle) : 0;
        return directory;
    }

    private static void ReadEntry(ReadOnlySpan<byte> source, long at, bool isLittle, int offsetBytes, TiffDirectory directory)
    {
        int tag = (int)Number(source, at, 2, isLittle), type = (int)Number(source, at + 2, 2, isLittle);
        var count = Number(source, at + 4, offsetBytes, isLittle);
        // Rationals are read as far as their numerator: none of them matters here.
        var bytes = type switch
        {
            1 or 2 or 6 or 7 => 1,
            3 or 8 => 2,
            4 or 9 or 11 or 13 => 4,
            5 or 10 or 12 or 16 or 17 or 18 => 8,
            _ => 0,
        };
        var place = at + 4 + offsetBytes;
        if (bytes == 0 || count is < 0 or > int.MaxValue)
        {
            return;
        }

        if (count * bytes > offsetBytes)
        {
            place = Number(source, place, offsetBytes, isLittle);
        }

        if (place < 0 || place > source.Length || count * bytes > source.Length - place)
        {
            return;
        }

        var values = new long[Math.Min(count, MostValues)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Number(source, place + i * bytes, bytes, isLittle);
        }

        directory.Values[tag] = values;
        directory.Places[tag] = (int)place;
        directory.Lengths[tag] = (int)(count * bytes);
    }

    private static long Number(ReadOnlySpan<byte> source, long at, int bytes, bool isLittle)
    {
        var number = source.Slice((int)at, bytes);
        return bytes switch
        {
            1 => number[0],
            2 => isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(number) : BinaryPrimitives.ReadUInt16BigEndian(number),
            4 => isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(number) : BinaryPrimitives.ReadUInt32BigEndian(number),
            _ => isLittle ? BinaryPrimitives.ReadInt64LittleEndian(number) : BinaryPrimitives.ReadInt64BigEndian(number),
        };
    }
}
