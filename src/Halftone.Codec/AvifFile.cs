using System.Buffers.Binary;
using System.Text;

namespace Halftone.Codec;

/// <summary>An item of an AVIF: a coded picture, a picture made of others, or metadata.</summary>
internal sealed record AvifItem(uint Id, string Type, uint Flags)
{
    /// <summary>Parts of the file that hold its data, in order.</summary>
    public List<(long Start, long Length)> Extents { get; } = [];

    /// <summary>Its properties by their 0-based index among all.</summary>
    public List<(int Index, bool IsEssential)> Properties { get; } = [];
}

/// <summary>A reference from an item to items.</summary>
internal sealed record AvifReference(string Type, uint From, uint[] To);

/// <summary>A track of an animated AVIF.</summary>
/// <param name="Handler">Four letters: <c>pict</c> for colours, <c>auxv</c> for alpha.</param>
/// <param name="Samples">Frames.</param>
/// <param name="Chunks">Parts of the file that hold its frames, in order.</param>
internal sealed record AvifTrack(string Handler, int Samples, List<(long Start, long Length)> Chunks);

/// <summary>Which colours the numbers mean (ITU-T H.273), as an AVIF's <c>nclx</c> or a PNG's <c>cICP</c> says it.</summary>
internal readonly record struct CodingColours(int Primaries, int Transfer, int Matrix, bool IsFullRange)
{
    private const int Pq = 16, Hlg = 18;

    /// <summary>Brighter than white: PQ and HLG.</summary>
    public bool IsHdr => Transfer is Pq or Hlg;

    public bool IsHlg => Transfer == Hlg;

    /// <summary>Those of BT.709 and sRGB, which also stand where the file says "unspecified".</summary>
    public bool HasSrgbPrimaries => Primaries is not (>= 4 and <= 12 or 22);
}

/// <summary>
/// The structure of an AVIF (AV1 Image File Format; ISO/IEC 14496-12 and 23008-12): items, their data, their properties, and tracks.
/// The AV1 data is not looked into.
/// </summary>
internal sealed class AvifFile
{
    /// <summary>Items, references and samples are counted before anything is made of them: more than any picture has.</summary>
    private const int MostItems = 10_000, MostSamples = 200_000;

    private AvifFile() { }

    public List<AvifItem> Items { get; } = [];

    public List<AvifReference> References { get; } = [];

    /// <summary>Each with its header.</summary>
    public List<byte[]> Properties { get; } = [];

    /// <summary>Colours first, then alpha; empty in a still picture.</summary>
    public List<AvifTrack> Tracks { get; } = [];

    /// <summary>0 where the file names none.</summary>
    public uint PrimaryId { get; private set; }

    public AvifItem? Primary => Items.Find(item => item.Id == PrimaryId);

    /// <summary>Frames of the animation; 1 for a still picture.</summary>
    public int Frames => Tracks.Find(track => track.Handler == "pict") is { Samples: var samples } ? Math.Max(1, samples) : 1;

    /// <summary>The <c>nclx</c> of the picture, where no ICC profile outranks it; null without one.</summary>
    public CodingColours? Colours
    {
        get
        {
            CodingColours? found = null;
            foreach (var body in PrimaryProperties("colr"))
            {
                if (body.AsSpan() is [(byte)'n', (byte)'c', (byte)'l', (byte)'x', ..] && body.Length >= 11)
                {
                    found ??= new(
                        BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(4)), BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(6)),
                        BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(8)), (body[10] & 0x80) != 0);
                }
                else if (body.Length > 4)
                {
                    return null;
                }
            }

            return found;
        }
    }

    /// <summary>Width and height as coded, before any rotation; 0 where unknown.</summary>
    public (int Width, int Height) CodedSize => PrimaryProperties("ispe").FirstOrDefault() is { Length: >= 12 } body
        ? ((int)BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(4)), (int)BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(8)))
        : (0, 0);

    /// <summary>Width and height as shown.</summary>
    public (int Width, int Height) ShownSize => PrimaryProperties("irot").FirstOrDefault() is [var turns, ..] && (turns & 1) != 0
        ? (CodedSize.Height, CodedSize.Width)
        : CodedSize;

    /// <summary>Index and name of a property's box.</summary>
    public static string PropertyName(byte[] property) => Encoding.Latin1.GetString(property, 4, 4);

    /// <summary>Null where the structure is broken, or of a kind that no picture needs.</summary>
    public static AvifFile? Read(ReadOnlySpan<byte> source)
    {
        var file = new AvifFile();
        var boxes = new IsoBoxes(source);
        while (boxes.Next())
        {
            var isRead = boxes.Name switch
            {
                [(byte)'m', (byte)'e', (byte)'t', (byte)'a'] => file.ReadMeta(source, boxes.BodyAt, boxes.Body.Length),
                [(byte)'m', (byte)'o', (byte)'o', (byte)'v'] => file.ReadMovie(boxes.Body),
                [(byte)'m', (byte)'o', (byte)'o', (byte)'f'] => false,
                _ => true,
            };
            if (!isRead)
            {
                return null;
            }
        }

        return file.Items.Count > 0 || file.Tracks.Count > 0 ? file : null;
    }

    private IEnumerable<byte[]> PrimaryProperties(string name) => (Primary?.Properties ?? [])
        .Where(property => property.Index >= 0 && property.Index < Properties.Count && PropertyName(Properties[property.Index]) == name)
        .Select(property => Properties[property.Index][8..]);

    private bool ReadMeta(ReadOnlySpan<byte> source, int at, int length)
    {
        if (length < 4 || Items.Count > 0)
        {
            return false;
        }

        var end = at + length;
        long dataAt = -1, dataLength = 0;
        var locations = default(ReadOnlySpan<byte>);
        var boxes = new IsoBoxes(source[..end], at + 4);
        while (boxes.Next())
        {
            var isRead = true;
            if (boxes.Name.SequenceEqual("pitm"u8))
            {
                isRead = ReadPrimary(boxes.Body);
            }
            else if (boxes.Name.SequenceEqual("iinf"u8))
            {
                isRead = ReadItems(boxes.Body);
            }
            else if (boxes.Name.SequenceEqual("iloc"u8))
            {
                locations = boxes.Body;
            }
            else if (boxes.Name.SequenceEqual("iref"u8))
            {
                isRead = ReadReferences(boxes.Body);
            }
            else if (boxes.Name.SequenceEqual("iprp"u8))
            {
                isRead = ReadProperties(boxes.Body);
            }
            else if (boxes.Name.SequenceEqual("idat"u8))
            {
                (dataAt, dataLength) = (boxes.BodyAt, boxes.Body.Length);
            }

            if (!isRead)
            {
                return false;
            }
        }

        return ReadLocations(locations, source.Length, dataAt, dataLength) && GiveProperties();
    }

    private bool ReadPrimary(ReadOnlySpan<byte> body)
    {
        var reader = new Fields(body);
        var version = reader.Take(1);
        reader.Take(3);
        PrimaryId = (uint)reader.Take(version == 0 ? 2 : 4);
        return reader.IsWhole;
    }

    private bool ReadItems(ReadOnlySpan<byte> body)
    {
        if (body.Length < 6)
        {
            return false;
        }

        var entries = new IsoBoxes(body, body[0] == 0 ? 6 : 8);
        while (entries.Next())
        {
            var reader = new Fields(entries.Body);
            var version = reader.Take(1);
            var flags = (uint)reader.Take(3);
            if (!entries.Name.SequenceEqual("infe"u8) || version is not (2 or 3) || Items.Count == MostItems)
            {
                return false;
            }

            var id = (uint)reader.Take(version == 2 ? 2 : 4);
            reader.Take(2);
            var type = (uint)reader.Take(4);
            if (!reader.IsWhole || Items.Exists(item => item.Id == id))
            {
                return false;
            }

            Items.Add(new AvifItem(id, FourLetters(type), flags));
        }

        return true;
    }

    private bool ReadLocations(ReadOnlySpan<byte> body, long fileBytes, long dataAt, long dataBytes)
    {
        var reader = new Fields(body);
        var version = (int)reader.Take(1);
        reader.Take(3);
        var sizes = (int)reader.Take(2);
        int offsetBytes = sizes >> 12, lengthBytes = sizes >> 8 & 15, baseBytes = sizes >> 4 & 15, indexBytes = version > 0
            ? sizes & 15
            : 0;
        var count = reader.Take(version < 2 ? 2 : 4);
        if (version > 2
            || !reader.IsWhole
            || count > MostItems
            || !IsSize(offsetBytes)
            || !IsSize(lengthBytes)
            || !IsSize(baseBytes)
            || !IsSize(indexBytes))
        {
            return false;
        }

        for (var i = 0L; i < count; i++)
        {
            var item = ReadLocation(ref reader, version, (offsetBytes, lengthBytes, baseBytes, indexBytes), dataAt, out var isKnown);
            if (!reader.IsWhole || !isKnown)
            {
                return false;
            }

            var (from, end) = (0L, fileBytes);
            if (item is { IsInData: true })
            {
                (from, end) = (dataAt, dataAt + dataBytes);
            }

            if (item is not null
                && !item.Extents.TrueForAll(extent => extent.Start >= from && extent.Length > 0 && extent.Start <= end - extent.Length))
            {
                return false;
            }

            Items.Find(known => known.Id == item?.Id)?.Extents.AddRange(item!.Extents);
        }

        return true;
    }

    private sealed record Location(uint Id, bool IsInData, List<(long Start, long Length)> Extents);

    private static Location? ReadLocation(
        ref Fields reader, int version, (int Offset, int Length, int Base, int Index) sizes, long dataAt, out bool isKnown)
    {
        var id = (uint)reader.Take(version < 2 ? 2 : 4);
        var method = version > 0 ? reader.Take(2) & 15 : 0;
        var outside = reader.Take(2);
        var start = reader.Take(sizes.Base);
        var count = reader.Take(2);
        // Data in other files, and items made of items' bytes, are known to no writer.
        isKnown = outside == 0 && method is 0 or 1 && !(method == 1 && dataAt < 0);
        var extents = new List<(long, long)>();
        for (var i = 0L; i < count && reader.IsWhole; i++)
        {
            reader.Take(sizes.Index);
            var offset = reader.Take(sizes.Offset);
            var length = reader.Take(sizes.Length);
            extents.Add((start + offset + (method == 1 ? dataAt : 0), length));
        }

        return new Location(id, method == 1, extents);
    }

    private bool ReadReferences(ReadOnlySpan<byte> body)
    {
        if (body.Length < 4)
        {
            return false;
        }

        var idBytes = body[0] == 0 ? 2 : 4;
        var boxes = new IsoBoxes(body, 4);
        while (boxes.Next())
        {
            var reader = new Fields(boxes.Body);
            var from = (uint)reader.Take(idBytes);
            var count = (int)reader.Take(2);
            if (!reader.IsWhole || boxes.Body.Length < idBytes + 2 + count * idBytes || References.Count == MostItems)
            {
                return false;
            }

            var to = new uint[count];
            for (var i = 0; i < count; i++)
            {
                to[i] = (uint)reader.Take(idBytes);
            }

            References.Add(new AvifReference(Encoding.Latin1.GetString(boxes.Name), from, to));
        }

        return true;
    }

    private readonly List<(uint Item, int Index, bool IsEssential)> given = [];

    private bool ReadProperties(ReadOnlySpan<byte> body)
    {
        var boxes = new IsoBoxes(body);
        while (boxes.Next())
        {
            if (boxes.Name.SequenceEqual("ipco"u8))
            {
                var properties = new IsoBoxes(boxes.Body);
                while (properties.Next())
                {
                    // A header of 64 bits is known to no writer here.
                    if (properties.Whole.Length - properties.Body.Length != 8 || Properties.Count == MostItems)
                    {
                        return false;
                    }

                    Properties.Add(properties.Whole.ToArray());
                }
            }
            else if (boxes.Name.SequenceEqual("ipma"u8) && !ReadAssociations(boxes.Body))
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadAssociations(ReadOnlySpan<byte> body)
    {
        var reader = new Fields(body);
        var version = reader.Take(1);
        var isWide = (reader.Take(3) & 1) != 0;
        var count = reader.Take(4);
        for (var i = 0L; i < count; i++)
        {
            var item = (uint)reader.Take(version < 1 ? 2 : 4);
            var associations = reader.Take(1);
            for (var a = 0; a < associations; a++)
            {
                var value = (int)reader.Take(isWide ? 2 : 1);
                var essential = isWide ? 0x8000 : 0x80;
                given.Add((item, (value & (essential - 1)) - 1, (value & essential) != 0));
            }

            if (!reader.IsWhole)
            {
                return false;
            }
        }

        return reader.IsWhole;
    }

    private bool GiveProperties()
    {
        foreach (var (id, index, isEssential) in given)
        {
            Items.Find(item => item.Id == id)?.Properties.Add((index, isEssential));
        }

        return Items.TrueForAll(item => item.Properties.TrueForAll(property => property.Index < Properties.Count));
    }

    private bool ReadMovie(ReadOnlySpan<byte> movie)
    {
        var boxes = new IsoBoxes(movie);
        while (boxes.Next())
        {
            if (boxes.Name.SequenceEqual("trak"u8))
            {
                if (ReadTrack(boxes.Body) is not { } track)
                {
                    return false;
                }

                Tracks.Add(track);
            }
        }

        return boxes.AtEnd && Tracks.Count > 0;
    }

    private static AvifTrack? ReadTrack(ReadOnlySpan<byte> track)
    {
        var media = Child(track, "mdia"u8);
        var handler = Child(media, "hdlr"u8);
        var table = Child(Child(media, "minf"u8), "stbl"u8);
        return handler.Length >= 12 && SampleSizes(Child(table, "stsz"u8)) is { } sizes
            && ChunkStarts(Child(table, "stco"u8), 4) is { } narrow && ChunkStarts(Child(table, "co64"u8), 8) is { } wide
            && Chunks(Child(table, "stsc"u8), [.. narrow, .. wide], sizes) is { } chunks
            ? new AvifTrack(Encoding.Latin1.GetString(handler.Slice(8, 4)), sizes.Length, chunks)
            : null;
    }

    private static long[]? SampleSizes(ReadOnlySpan<byte> body)
    {
        var reader = new Fields(body);
        reader.Take(4);
        var same = reader.Take(4);
        var count = reader.Take(4);
        if (!reader.IsWhole || count is < 0 or > MostSamples || (same == 0 && body.Length < 12 + count * 4))
        {
            return null;
        }

        var sizes = new long[count];
        for (var i = 0; i < count; i++)
        {
            sizes[i] = same > 0 ? same : reader.Take(4);
        }

        return sizes;
    }

    /// <summary>Empty where there is no such box.</summary>
    private static long[]? ChunkStarts(ReadOnlySpan<byte> body, int bytes)
    {
        if (body.IsEmpty)
        {
            return [];
        }

        var reader = new Fields(body);
        reader.Take(4);
        var count = reader.Take(4);
        if (!reader.IsWhole || count is < 0 or > MostSamples || body.Length < 8 + count * bytes)
        {
            return null;
        }

        var starts = new long[count];
        for (var i = 0; i < count; i++)
        {
            starts[i] = reader.Take(bytes);
        }

        return starts;
    }

    /// <summary>The samples of a chunk follow each other; runs of chunks have equal numbers of them.</summary>
    private static List<(long Start, long Length)>? Chunks(ReadOnlySpan<byte> runs, long[] starts, long[] sizes)
    {
        var reader = new Fields(runs);
        reader.Take(4);
        var count = reader.Take(4);
        if (!reader.IsWhole || count is < 0 or > MostSamples || runs.Length < 8 + count * 12)
        {
            return null;
        }

        var perChunk = new long[starts.Length];
        for (var i = 0L; i < count; i++)
        {
            var first = reader.Take(4) - 1;
            var samples = reader.Take(4);
            reader.Take(4);
            if (first < 0 || first > starts.Length || samples > MostSamples)
            {
                return null;
            }

            Array.Fill(perChunk, samples, (int)first, starts.Length - (int)first);
        }

        var chunks = new List<(long, long)>();
        var sample = 0;
        for (var i = 0; i < starts.Length; i++)
        {
            var length = 0L;
            for (var s = 0L; s < perChunk[i] && sample < sizes.Length; s++)
            {
                length += sizes[sample++];
            }

            if (length > 0)
            {
                chunks.Add((starts[i], length));
            }
        }

        return sample == sizes.Length ? chunks : null;
    }

    /// <summary>The body of the first box of that name; empty without one.</summary>
    public static ReadOnlySpan<byte> Child(ReadOnlySpan<byte> body, ReadOnlySpan<byte> name)
    {
        var boxes = new IsoBoxes(body);
        while (boxes.Next())
        {
            if (boxes.Name.SequenceEqual(name))
            {
                return boxes.Body;
            }
        }

        return default;
    }

    private static bool IsSize(int bytes) => bytes is 0 or 4 or 8;

    private static string FourLetters(uint value) => string.Create(4, value, static (letters, value) =>
    {
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = (char)(byte)(value >> (24 - 8 * i));
        }
    });

    /// <summary>Numbers one after the other, big endian. Behind the end they are 0, and <see cref="IsWhole"/> tells.</summary>
    private ref struct Fields(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> rest = bytes;

        public bool IsWhole { get; private set; } = true;

        /// <summary>A number of 0 to 8 bytes; what is above 2^62 counts as broken.</summary>
        public long Take(int count)
        {
            if (count > rest.Length)
            {
                IsWhole = false;
                return 0;
            }

            ulong value = 0;
            foreach (var next in rest[..count])
            {
                value = value << 8 | next;
            }

            rest = rest[count..];
            IsWhole &= value < 1ul << 62;
            return (long)(value & ((1ul << 62) - 1));
        }
    }
}
