using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Xml;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Metadata;

/// <summary>
/// Finds a picture's <see cref="Rights"/> in its XMP, its IPTC record, its EXIF and a PNG's texts. XMP counts first, EXIF last.
/// </summary>
internal static class RightsReader
{
    /// <summary>A longer block is no word about rights; inflated ones end here too.</summary>
    private const int MostBytes = 1 << 20;

    private const ushort IptcResource = 0x0404;

    private const string Rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

    private static readonly Dictionary<(string Space, string Name), string> Properties = new()
    {
        [("http://purl.org/dc/elements/1.1/", "rights")] = "dc:rights",
        [("http://purl.org/dc/elements/1.1/", "creator")] = "dc:creator",
        [("http://ns.adobe.com/photoshop/1.0/", "Credit")] = "photoshop:Credit",
        [("http://ns.adobe.com/xap/1.0/rights/", "WebStatement")] = "xmpRights:WebStatement",
        [("http://ns.adobe.com/xap/1.0/rights/", "UsageTerms")] = "xmpRights:UsageTerms",
        [("http://creativecommons.org/ns#", "license")] = "cc:license",
        [("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "DigitalSourceType")] = "Iptc4xmpExt:DigitalSourceType",
        [("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "DigitalSourcefileType")] = "Iptc4xmpExt:DigitalSourceType",
    };

    private static ReadOnlySpan<byte> XmpPrefix => "http://ns.adobe.com/xap/1.0/\0"u8;

    private static ReadOnlySpan<byte> PhotoshopPrefix => "Photoshop 3.0\0"u8;

    /// <summary>Blocks of metadata, taken in the order of their rank.</summary>
    private sealed class Blocks
    {
        public List<byte[]> Xmp { get; } = [];

        public List<byte[]> Iptc { get; } = [];

        public List<byte[]> Exif { get; } = [];

        public List<(string Name, string Value)> Texts { get; } = [];
    }

    /// <summary>A packet for the output; empty where the source says nothing, or nothing legible.</summary>
    public static byte[] Read(ReadOnlySpan<byte> source, ImageFormat format)
    {
        var blocks = new Blocks();
        switch (format)
        {
            case ImageFormat.Jpeg:
                FromJpeg(source, blocks);
                break;
            case ImageFormat.Png:
                FromPng(source, blocks);
                break;
            case ImageFormat.Webp:
                FromWebp(source, blocks);
                break;
            case ImageFormat.Gif:
                FromGif(source, blocks);
                break;
            case ImageFormat.Avif:
                FromAvif(source, blocks);
                break;
            case ImageFormat.Tiff:
                FromTiff(source, blocks);
                break;
        }

        var rights = new Rights();
        foreach (var xmp in blocks.Xmp)
        {
            TakeXmp(xmp, rights);
        }

        foreach (var iptc in blocks.Iptc)
        {
            TakeIptc(iptc, rights);
        }

        foreach (var (name, value) in blocks.Texts)
        {
            rights.Take(name, value);
        }

        foreach (var exif in blocks.Exif)
        {
            TakeExif(exif, rights);
        }

        return rights.ToXmp();
    }

    private static void FromJpeg(ReadOnlySpan<byte> source, Blocks blocks)
    {
        var reader = new MarkerReader(source, 2);
        while (reader.Next() == MarkerStatus.Found && reader.Marker is not (Marker.Sos or Marker.Eoi))
        {
            var segment = reader.Segment;
            if (reader.Marker == Marker.App1 && segment.StartsWith(XmpPrefix))
            {
                blocks.Xmp.Add(segment[XmpPrefix.Length..].ToArray());
            }
            else if (reader.Marker == Marker.App1 && segment.StartsWith(ExifOrientation.Prefix) && blocks.Exif.Count == 0)
            {
                blocks.Exif.Add(segment[ExifOrientation.Prefix.Length..].ToArray());
            }
            else if (reader.Marker == Marker.App13 && segment.StartsWith(PhotoshopPrefix))
            {
                FromPhotoshop(segment[PhotoshopPrefix.Length..], blocks);
            }
        }
    }

    /// <summary>Image resource blocks: signature, number, a name of even length, length, data of even length.</summary>
    private static void FromPhotoshop(ReadOnlySpan<byte> resources, Blocks blocks)
    {
        while (resources.Length >= 12 && resources.StartsWith("8BIM"u8))
        {
            var number = BinaryPrimitives.ReadUInt16BigEndian(resources[4..]);
            var nameBytes = 1 + resources[6];
            var at = 6 + nameBytes + (nameBytes & 1);
            if (at + 4 > resources.Length)
            {
                return;
            }

            var length = BinaryPrimitives.ReadUInt32BigEndian(resources[at..]);
            at += 4;
            if (length > resources.Length - at)
            {
                return;
            }

            if (number == IptcResource)
            {
                blocks.Iptc.Add(resources.Slice(at, (int)length).ToArray());
            }

            resources = resources[(int)Math.Min(resources.Length, at + length + (length & 1))..];
        }
    }

    private static void FromPng(ReadOnlySpan<byte> source, Blocks blocks)
    {
        var chunks = new PngChunks(source);
        while (chunks.Next() && !chunks.Name.SequenceEqual("IEND"u8))
        {
            if (chunks.Name.SequenceEqual("eXIf"u8))
            {
                blocks.Exif.Add(chunks.Body.ToArray());
            }
            else if (chunks.Name.SequenceEqual("iTXt"u8) || chunks.Name.SequenceEqual("tEXt"u8) || chunks.Name.SequenceEqual("zTXt"u8))
            {
                FromText(chunks.Name[0], chunks.Body, blocks);
            }
        }
    }

    private static void FromText(byte kind, ReadOnlySpan<byte> body, Blocks blocks)
    {
        var end = body.IndexOf((byte)0);
        var keyword = end is > 0 and < 80 ? Encoding.Latin1.GetString(body[..end]) : "";
        if (keyword is not ("XML:com.adobe.xmp" or "Copyright" or "Author"))
        {
            return;
        }

        var text = body[(end + 1)..];
        var isPacked = kind == (byte)'z';
        if (kind == (byte)'z' && text.Length > 1)
        {
            text = text[1..];
        }
        else if (kind == (byte)'i')
        {
            // Compression flag and method, then language and translated keyword, each ended by a zero.
            if (text.Length < 2)
            {
                return;
            }

            isPacked = text[0] == 1;
            text = text[2..];
            for (var i = 0; i < 2; i++)
            {
                var next = text.IndexOf((byte)0);
                if (next < 0)
                {
                    return;
                }

                text = text[(next + 1)..];
            }
        }

        var bytes = isPacked ? Inflate(text) : text.ToArray();
        if (keyword == "XML:com.adobe.xmp")
        {
            blocks.Xmp.Add(bytes);
            return;
        }

        blocks.Texts.Add((
            keyword == "Author" ? "dc:creator" : "dc:rights",
            kind == (byte)'i' ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes)));
    }

    private static byte[] Inflate(ReadOnlySpan<byte> zlib)
    {
        using var input = new MemoryStream(zlib.ToArray());
        using var inflate = new ZLibStream(input, CompressionMode.Decompress);
        using var output = new MemoryStream();
        Span<byte> buffer = stackalloc byte[4096];
        try
        {
            int length;
            while (output.Length < MostBytes && (length = inflate.Read(buffer)) > 0)
            {
                output.Write(buffer[..length]);
            }
        }
        catch (InvalidDataException)
        {
            return [];
        }

        return output.ToArray();
    }

    private static void FromWebp(ReadOnlySpan<byte> source, Blocks blocks)
    {
        var chunks = new RiffChunks(source.Length > 12 ? source[12..] : default);
        while (chunks.Next())
        {
            if (chunks.Name.SequenceEqual("XMP "u8))
            {
                blocks.Xmp.Add(chunks.Body.ToArray());
            }
            else if (chunks.Name.SequenceEqual("EXIF"u8))
            {
                blocks.Exif.Add(chunks.Body.ToArray());
            }
        }
    }

    private static void FromGif(ReadOnlySpan<byte> source, Blocks blocks)
    {
        var at = source.IndexOf<byte>([0x21, 0xFF, 11, .. "XMP DataXMP"u8]);
        if (at < 0)
        {
            return;
        }

        var packet = source[(at + 14)..];
        // The packet ends where its text does: behind it stand bytes that lead out of it.
        var end = packet.IndexOf<byte>([1, 0xFF, 0xFE]);
        if (end > 0)
        {
            blocks.Xmp.Add(packet[..end].ToArray());
        }
    }

    private static void FromAvif(ReadOnlySpan<byte> source, Blocks blocks)
    {
        foreach (var item in AvifFile.Read(source)?.Items ?? [])
        {
            if (item.Type is not ("mime" or "Exif") || item.Extents is not [var (start, length)] || length > MostBytes)
            {
                continue;
            }

            var data = source.Slice((int)start, (int)length);
            if (item.Type == "mime")
            {
                blocks.Xmp.Add(data.ToArray());
            }
            else if (data.Length > 4 && BinaryPrimitives.ReadUInt32BigEndian(data) is var skip && skip < data.Length - 4)
            {
                blocks.Exif.Add(data[(4 + (int)skip)..].ToArray());
            }
        }
    }

    private static void FromTiff(ReadOnlySpan<byte> source, Blocks blocks)
    {
        if (TiffPages.Read(source)?.Picture is not { } picture)
        {
            return;
        }

        if (Value(source, TiffTag.Xmp) is { Length: > 0 } xmp)
        {
            blocks.Xmp.Add(xmp);
        }

        if (Value(source, TiffTag.Iptc) is { Length: > 0 } iptc)
        {
            blocks.Iptc.Add(iptc);
        }

        if (Value(source, TiffTag.Photoshop) is { Length: > 0 } photoshop)
        {
            FromPhotoshop(photoshop, blocks);
        }

        blocks.Texts.Add(("dc:rights", Text(Value(source, TiffTag.Copyright))));
        blocks.Texts.Add(("dc:creator", Text(Value(source, TiffTag.Artist))));

        byte[] Value(ReadOnlySpan<byte> file, int tag) =>
            picture.Places.TryGetValue(tag, out var at) && picture.Lengths[tag] <= MostBytes
                ? file.Slice(at, picture.Lengths[tag]).ToArray()
                : [];
    }

    private static void TakeExif(ReadOnlySpan<byte> exif, Rights rights)
    {
        if (exif.StartsWith(ExifOrientation.Prefix))
        {
            exif = exif[ExifOrientation.Prefix.Length..];
        }

        if (!exif.StartsWith("II*\0"u8) && !exif.StartsWith("MM\0*"u8) || TiffPages.Read(exif) is not { } file)
        {
            return;
        }

        var directory = file.Directories[0];
        foreach (var (tag, name) in ((int, string)[])[(TiffTag.Copyright, "dc:rights"), (TiffTag.Artist, "dc:creator")])
        {
            if (directory.Places.TryGetValue(tag, out var at))
            {
                rights.Take(name, Text(exif.Slice(at, Math.Min(directory.Lengths[tag], MostBytes))));
            }
        }
    }

    /// <summary>UTF-8 where it is such, else Latin-1; zeros separate the photographer's word from the editor's.</summary>
    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.TrimEnd((byte)0));
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes.TrimEnd((byte)0));
        }
    }

    /// <summary>IPTC IIM 4.2: records of a mark, two numbers, a length and a text.</summary>
    private static void TakeIptc(ReadOnlySpan<byte> iptc, Rights rights)
    {
        var creators = new List<string>();
        while (iptc.Length >= 5 && iptc[0] == 0x1C)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(iptc[3..]);
            if ((length & 0x8000) != 0 || 5 + length > iptc.Length)
            {
                break;
            }

            var value = iptc.Slice(5, length);
            switch (iptc[1], iptc[2])
            {
                case (2, 80):
                    creators.Add(Text(value));
                    break;
                case (2, 110):
                    rights.Take("photoshop:Credit", Text(value));
                    break;
                case (2, 116):
                    rights.Take("dc:rights", Text(value));
                    break;
            }

            iptc = iptc[(5 + length)..];
        }

        rights.Take("dc:creator", creators);
    }

    private static void TakeXmp(ReadOnlySpan<byte> packet, Rights rights)
    {
        var start = packet.IndexOf((byte)'<');
        if (start < 0 || packet.Length > MostBytes || !MayHoldRights(packet))
        {
            return;
        }

        try
        {
            using var stream = new MemoryStream(packet[start..].ToArray());
            using var reader = XmlReader.Create(stream, new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                ConformanceLevel = ConformanceLevel.Fragment,
                MaxCharactersInDocument = MostBytes,
                CheckCharacters = false,
            });
            TakeXmp(reader, rights);
        }
        catch (Exception exception) when (exception is XmlException or DecoderFallbackException or ArgumentException)
        {
            // What was read before the fault counts.
        }
    }

    /// <summary>The packets of most photographs say how they were made and edited; a parser is not started for them.</summary>
    private static bool MayHoldRights(ReadOnlySpan<byte> packet) =>
        packet.IndexOf(":rights"u8) >= 0
            || packet.IndexOf(":creator"u8) >= 0
            || packet.IndexOf(":Credit"u8) >= 0
            || packet.IndexOf("WebStatement"u8) >= 0
            || packet.IndexOf("UsageTerms"u8) >= 0
            || packet.IndexOf(":license"u8) >= 0
            || packet.IndexOf("DigitalSource"u8) >= 0
            || packet.IndexOf("\0r\0i\0g\0h\0t"u8) >= 0;

    /// <summary>
    /// Properties are the attributes and the children of <c>rdf:Description</c> directly below <c>rdf:RDF</c>; those of pictures within the
    /// picture lie deeper.
    /// </summary>
    private static void TakeXmp(XmlReader reader, Rights rights)
    {
        int rdfDepth = int.MaxValue / 2, propertyDepth = 0;
        string? property = null;
        var values = new List<string>();
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element when reader is { LocalName: "RDF", NamespaceURI: Rdf }:
                    rdfDepth = reader.Depth;
                    break;
                case XmlNodeType.Element when reader.Depth == rdfDepth + 1:
                    TakeAttributes(reader, rights);
                    break;
                case XmlNodeType.Element when reader.Depth == rdfDepth + 2:
                    property = Properties.GetValueOrDefault((reader.NamespaceURI, reader.LocalName));
                    propertyDepth = reader.Depth;
                    if (property is not null && reader.GetAttribute("resource", Rdf) is { } resource)
                    {
                        rights.Take(property, resource);
                    }

                    property = reader.IsEmptyElement ? null : property;
                    break;
                // The text of the property, or of an item of its list.
                case XmlNodeType.Text
                    or XmlNodeType.CDATA when property is not null
                        && (reader.Depth == propertyDepth + 1 || reader.Depth == propertyDepth + 3):
                    values.Add(reader.Value);
                    break;
                case XmlNodeType.EndElement when property is not null && reader.Depth == propertyDepth:
                    rights.Take(property, values);
                    values = [];
                    property = null;
                    break;
            }
        }
    }

    private static void TakeAttributes(XmlReader reader, Rights rights)
    {
        while (reader.MoveToNextAttribute())
        {
            if (Properties.TryGetValue((reader.NamespaceURI, reader.LocalName), out var property))
            {
                rights.Take(property, reader.Value);
            }
        }

        reader.MoveToElement();
    }
}
