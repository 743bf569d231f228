using System.Buffers.Binary;
using System.Text;

namespace Halftone.Codec.Bare;

/// <summary>
/// Writes an AVIF again with its picture, alpha, colours and frames alone. EXIF, XMP, thumbnails, depth and gain maps are items of their
/// own and
/// are left out; the AV1 data of the rest is copied as it is, and every place that names a position in the file is corrected.
/// </summary>
internal static class BareAvif
{
    private const int MostProperties = 127, MostIds = 65_535;

    /// <summary>What a picture needs to look as it does (ISO/IEC 23008-12, section 6.5; AV1 Image File Format, section 2).</summary>
    private static readonly HashSet<string> KeptProperties =
        [
            "ispe", "pixi", "av1C", "a1op", "a1lx", "lsel", "colr", "irot", "imir", "clap", "pasp", "auxC", "clli", "mdcv", "cclv", "amve",
            "reve", "ndwt",
        ];

    public static byte[]? Write(ReadOnlySpan<byte> source, ReadOnlySpan<byte> xmp)
    {
        var boxes = new IsoBoxes(source);
        if (!boxes.Next()
            || !boxes.Name.SequenceEqual("ftyp"u8)
            || AvifFile.Read(source) is not { } file
            || KeptItems(file) is not { } items)
        {
            return null;
        }

        var type = boxes.Whole;
        var movie = AvifFile.Child(source, "moov"u8);
        var tracks = file.Tracks.Where(track => IsPicture(track.Handler)).ToList();
        if (tracks.Count < file.Tracks.Count || (items.Count == 0 && xmp.Length > 0))
        {
            return null; // another kind of track, or nothing that rights could be said of
        }

        if (KeptRanges(
            items.SelectMany(item => item.Extents).Concat(tracks.SelectMany(track => track.Chunks)), source.Length) is not { } ranges)
        {
            return null;
        }

        if (xmp.IsEmpty && movie.IsEmpty && items.Count == file.Items.Count && HoldsNothingElse(source, ranges))
        {
            return source.ToArray();
        }

        // Written twice: positions in the file depend on how long everything before the data is.
        byte[] meta = [], moov = [];
        long dataAt = 0;
        for (var pass = 0; pass < 2; pass++)
        {
            meta = items.Count > 0 ? Meta(file, items, ranges, dataAt, xmp.Length) : [];
            moov = movie.Length > 0 ? Movie(movie, ranges, dataAt) : [];
            dataAt = type.Length + meta.Length + moov.Length + 8L;
        }

        if (meta.Length == 0 && moov.Length == 0)
        {
            return null;
        }

        var output = new ByteList(source.Length + xmp.Length + 256);
        output.Add(type);
        output.Add(meta);
        output.Add(moov);
        output.AddUInt32((uint)(8 + ranges.Bytes + xmp.Length));
        output.Add("mdat"u8);
        foreach (var (start, length, _) in ranges.All)
        {
            output.Add(source.Slice((int)start, (int)length));
        }

        output.Add(xmp);
        return output.ToArray();
    }

    /// <summary>Whether a still picture's file has no box and no byte of data but what is kept.</summary>
    private static bool HoldsNothingElse(ReadOnlySpan<byte> source, Ranges ranges)
    {
        long data = 0;
        var boxes = new IsoBoxes(source);
        while (boxes.Next())
        {
            if (boxes.Name.SequenceEqual("mdat"u8))
            {
                data += boxes.Body.Length;
            }
            else if (!boxes.Name.SequenceEqual("ftyp"u8) && !boxes.Name.SequenceEqual("meta"u8))
            {
                return false;
            }
        }

        return boxes.AtEnd && data == ranges.Bytes;
    }

    private static bool IsPicture(string handler) => handler is "pict" or "auxv";

    /// <summary>The primary picture, what it is made of, and its alpha.</summary>
    private static List<AvifItem>? KeptItems(AvifFile file)
    {
        if (file.Items.Count == 0)
        {
            return [];
        }

        var kept = new HashSet<uint> { file.PrimaryId };
        int before;
        do
        {
            before = kept.Count;
            foreach (var reference in file.References)
            {
                if (reference.Type == "dimg" && kept.Contains(reference.From))
                {
                    kept.UnionWith(reference.To);
                }

                if (reference.Type == "auxl" && reference.To.Any(kept.Contains) && IsAlpha(file, reference.From))
                {
                    kept.Add(reference.From);
                }
            }
        }
        while (kept.Count > before);

        var items = file.Items.FindAll(item => kept.Contains(item.Id));
        var isKnown = items.Count == kept.Count
            && items.TrueForAll(item =>
                item.Id <= MostIds && item.Type is "av01" or "grid" or "iden" or "iovl" && item.Extents.Count > 0 | item.Type == "iden"
                    && item.Properties.TrueForAll(property => !property.IsEssential || property.Index < 0 || IsKept(file, property.Index)));
        return isKnown && file.Properties.Count <= MostProperties ? items : null;
    }

    private static bool IsKept(AvifFile file, int property) => KeptProperties.Contains(AvifFile.PropertyName(file.Properties[property]));

    private static bool IsAlpha(AvifFile file, uint id) =>
        file.Items.Find(item => item.Id == id) is { } item && item.Properties.Exists(property =>
            property.Index >= 0 && AvifFile.PropertyName(file.Properties[property.Index]) == "auxC"
            && file.Properties[property.Index].AsSpan().IndexOf("auxiliary:alpha"u8) >= 0);

    /// <summary>Parts of the source that are kept, and how far each is from its old place.</summary>
    /// <param name="All">In order; Before is how many kept bytes stand in front.</param>
    /// <param name="Bytes">Together.</param>
    private sealed record Ranges(List<(long Start, long Length, long Before)> All, long Bytes)
    {
        /// <summary>The new place of a kept byte.</summary>
        public long Move(long position, long dataAt)
        {
            int low = 0, high = All.Count - 1;
            while (low < high)
            {
                var middle = (low + high + 1) / 2;
                if (All[middle].Start <= position)
                {
                    low = middle;
                }
                else
                {
                    high = middle - 1;
                }
            }

            return dataAt + All[low].Before + position - All[low].Start;
        }
    }

    private static Ranges? KeptRanges(IEnumerable<(long Start, long Length)> parts, long sourceBytes)
    {
        var all = new List<(long Start, long Length, long Before)>();
        long bytes = 0;
        foreach (var (start, length) in parts.Order())
        {
            if (start < 0 || length <= 0 || start > sourceBytes - length)
            {
                return null;
            }

            if (all.Count > 0 && all[^1] is var last && start <= last.Start + last.Length)
            {
                var grown = Math.Max(last.Length, start + length - last.Start);
                bytes += grown - last.Length;
                all[^1] = last with { Length = grown };
                continue;
            }

            all.Add((start, length, bytes));
            bytes += length;
        }

        return all.Count > 0 ? new Ranges(all, bytes) : null;
    }

    private static byte[] Meta(AvifFile file, List<AvifItem> items, Ranges ranges, long dataAt, int xmpBytes)
    {
        var kept = Enumerable.Range(0, file.Properties.Count)
            .Where(index => IsKept(file, index) && items.Exists(item => item.Properties.Exists(property => property.Index == index)))
            .ToList();
        var xmpId = xmpBytes > 0 ? FreeId(items) : 0;
        return Full("meta",
            Full("hdlr", [0, 0, 0, 0, .. "pict"u8, .. new byte[13]]),
            Full("pitm", UInt16(file.PrimaryId)),
            Locations(items, ranges, dataAt, xmpId, xmpBytes),
            Infos(items, xmpId),
            References(file, items, xmpId),
            Box("iprp",
                Box("ipco", [.. kept.Select(index => file.Properties[index])]),
                Associations(items, kept)));
    }

    private static uint FreeId(List<AvifItem> items) =>
        (uint)Enumerable.Range(1, items.Count + 1).First(id => !items.Exists(item => item.Id == id));

    private static byte[] Locations(List<AvifItem> items, Ranges ranges, long dataAt, uint xmpId, int xmpBytes)
    {
        var body = new ByteList(64);
        body.AddUInt16(0x4400); // offsets and lengths of 4 bytes, no base
        body.AddUInt16((ushort)(items.Count + (xmpId > 0 ? 1 : 0)));
        foreach (var item in items)
        {
            body.Add(UInt16(item.Id));
            body.AddUInt16(0);
            body.AddUInt16((ushort)item.Extents.Count);
            foreach (var (start, length) in item.Extents)
            {
                body.AddUInt32((uint)ranges.Move(start, dataAt));
                body.AddUInt32((uint)length);
            }
        }

        if (xmpId > 0)
        {
            body.Add(UInt16(xmpId));
            body.AddUInt16(0);
            body.AddUInt16(1);
            body.AddUInt32((uint)(dataAt + ranges.Bytes));
            body.AddUInt32((uint)xmpBytes);
        }

        return Full("iloc", body.ToArray());
    }

    private static byte[] Infos(List<AvifItem> items, uint xmpId)
    {
        var body = new ByteList(64);
        body.AddUInt16((ushort)(items.Count + (xmpId > 0 ? 1 : 0)));
        foreach (var item in items)
        {
            // The flags say that parts of a grid are not shown by themselves; the name is empty.
            body.Add(Versioned("infe", 2, item.Flags, UInt16(item.Id), [0, 0], Encoding.Latin1.GetBytes(item.Type), [0]));
        }

        if (xmpId > 0)
        {
            body.Add(Versioned("infe", 2, 0, UInt16(xmpId), [0, 0], [.. "mime\0application/rdf+xml\0"u8]));
        }

        return Full("iinf", body.ToArray());
    }

    private static byte[] References(AvifFile file, List<AvifItem> items, uint xmpId)
    {
        var ids = items.Select(item => item.Id).ToHashSet();
        var body = new ByteList(64);
        foreach (var reference in file.References.Where(
            reference => reference.Type is "dimg" or "auxl" or "prem" && ids.Contains(reference.From)))
        {
            var to = reference.To.Where(ids.Contains).ToArray();
            if (to.Length > 0)
            {
                body.Add(Box(reference.Type, UInt16(reference.From), UInt16((uint)to.Length), [.. to.SelectMany(UInt16)]));
            }
        }

        if (xmpId > 0)
        {
            body.Add(Box("cdsc", UInt16(xmpId), UInt16(1), UInt16(file.PrimaryId)));
        }

        return body.Length == 0 ? [] : Full("iref", body.ToArray());
    }

    private static byte[] Associations(List<AvifItem> items, List<int> kept)
    {
        var body = new ByteList(64);
        var with = items.FindAll(item => item.Properties.Exists(property => kept.Contains(property.Index)));
        body.AddUInt32((uint)with.Count);
        foreach (var item in with)
        {
            var properties = item.Properties.FindAll(property => kept.Contains(property.Index));
            body.Add(UInt16(item.Id));
            body.Add([(byte)properties.Count]);
            foreach (var (index, isEssential) in properties)
            {
                body.Add([(byte)(kept.IndexOf(index) + 1 | (isEssential ? 0x80 : 0))]);
            }
        }

        return Full("ipma", body.ToArray());
    }

    /// <summary>The boxes of a movie without what is written about it; positions in the file are corrected, dates are 0.</summary>
    private static byte[] Movie(ReadOnlySpan<byte> movie, Ranges ranges, long dataAt) => Box("moov", Copy(movie, ranges, dataAt));

    private static byte[] Copy(ReadOnlySpan<byte> body, Ranges ranges, long dataAt)
    {
        var output = new ByteList(body.Length);
        var boxes = new IsoBoxes(body);
        while (boxes.Next())
        {
            var name = Encoding.Latin1.GetString(boxes.Name);
            switch (name)
            {
                case "trak" or "mdia" or "minf" or "stbl" or "edts":
                    output.Add(Box(name, Copy(boxes.Body, ranges, dataAt)));
                    break;
                case "stco" or "co64":
                    output.Add(Box(name, Moved(boxes.Body, name == "stco" ? 4 : 8, ranges, dataAt)));
                    break;
                case "mvhd" or "tkhd" or "mdhd":
                    output.Add(Box(name, WithoutDates(boxes.Body)));
                    break;
                case "hdlr" when boxes.Body.Length >= 12:
                    output.Add(Full("hdlr", [0, 0, 0, 0, .. boxes.Body.Slice(8, 4), .. new byte[13]]));
                    break;
                case "tref" or "elst" or "vmhd" or "nmhd" or "dinf" or "stsd" or "stts" or "ctts" or "cslg" or "stsc" or "stsz" or "stss"
                    or "sdtp" or "sgpd" or "sbgp":
                    output.Add(boxes.Whole);
                    break;
            }
        }

        return output.ToArray();
    }

    private static byte[] Moved(ReadOnlySpan<byte> table, int bytes, Ranges ranges, long dataAt)
    {
        var moved = table.ToArray();
        for (var at = 8; at + bytes <= moved.Length; at += bytes)
        {
            var entry = moved.AsSpan(at);
            if (bytes == 4)
            {
                BinaryPrimitives.WriteUInt32BigEndian(entry, (uint)ranges.Move(BinaryPrimitives.ReadUInt32BigEndian(entry), dataAt));
            }
            else
            {
                BinaryPrimitives.WriteInt64BigEndian(entry, ranges.Move(BinaryPrimitives.ReadInt64BigEndian(entry), dataAt));
            }
        }

        return moved;
    }

    /// <summary>Two dates follow version and flags: of 4 bytes each in version 0, of 8 in version 1.</summary>
    private static byte[] WithoutDates(ReadOnlySpan<byte> header)
    {
        var copy = header.ToArray();
        if (copy.Length >= 20)
        {
            copy.AsSpan(4..(copy[0] == 1 ? 20 : 12)).Clear();
        }

        return copy;
    }

    private static byte[] UInt16(uint value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Full(string name, params ReadOnlySpan<byte[]> parts) => Versioned(name, 0, 0, parts);

    private static byte[] Versioned(string name, byte version, uint flags, params ReadOnlySpan<byte[]> parts) =>
        Box(name, [[version, (byte)(flags >> 16), (byte)(flags >> 8), (byte)flags], .. parts]);

    private static byte[] Box(string name, params ReadOnlySpan<byte[]> parts)
    {
        var box = new ByteList(64);
        box.AddUInt32(0);
        box.Add(Encoding.Latin1.GetBytes(name));
        foreach (var part in parts)
        {
            box.Add(part);
        }

        BinaryPrimitives.WriteUInt32BigEndian(box.Written, (uint)box.Length);
        return box.ToArray();
    }
}
