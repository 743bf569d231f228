using System.Text;
using System.Xml.Linq;
using Halftone.Codec.Metadata;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests;

/// <summary>Of all metadata, who made a picture, how it may be used and whether a machine made it survive, and nothing else.</summary>
public sealed class RightsTests
{
    private const string Ai = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

    private static readonly byte[] Packet = Encoding.UTF8.GetBytes($"""
        <?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about="" xmlns:d="http://purl.org/dc/elements/1.1/"
          xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
          xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
          xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
          photoshop:Credit="Studio &amp; Sons" exif:GPSLatitude="52,30.0N" aux:SerialNumber="4711"
          xmpRights:WebStatement="https://shop.example/licence">
        <d:rights><rdf:Alt><rdf:li xml:lang="x-default">© 2026 Müller</rdf:li></rdf:Alt></d:rights>
        <d:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Ben</rdf:li></rdf:Seq></d:creator>
        <d:description><rdf:Alt><rdf:li xml:lang="x-default">secret words</rdf:li></rdf:Alt></d:description>
        <Iptc4xmpExt:DigitalSourceType>{Ai}</Iptc4xmpExt:DigitalSourceType>
        </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>
        """);

    private static byte[] Source(string saver, string options = "", string field = "xmp-data", byte[]? value = null)
    {
        using var image = Picture.Noise(48, 48).Image().With(field, value ?? Packet);
        return Picture.Save(image, saver, options);
    }

    private static string Output(byte[] source, ImageFormat? format = null, bool keepsRights = true) =>
        Encoding.UTF8.GetString(Assert.IsType<CodecResult.Compressed>(
            ImageCodec.Compress(source, new CodecRequest { Format = format, KeepsRights = keepsRights })).Body.Span);

    private static XDocument PacketOf(string file)
    {
        var start = file.IndexOf("<x:xmpmeta", StringComparison.Ordinal);
        Assert.True(start >= 0, "There is no XMP.");
        return XDocument.Parse(file[start..(file.IndexOf("</x:xmpmeta>", StringComparison.Ordinal) + "</x:xmpmeta>".Length)]);
    }

    [Theory]
    [InlineData("jpegsave_buffer", "Q=95", null)]
    [InlineData("pngsave_buffer", "", null)]
    [InlineData("webpsave_buffer", "Q=95", null)]
    [InlineData("heifsave_buffer", "compression=av1,Q=95,effort=0", null)]
    [InlineData("pngsave_buffer", "", ImageFormat.Jpeg)]
    [InlineData("pngsave_buffer", "", ImageFormat.Webp)]
    [InlineData("pngsave_buffer", "", ImageFormat.Avif)]
    [InlineData("jpegsave_buffer", "Q=95", ImageFormat.Png)]
    [InlineData("jpegsave_buffer", "Q=95", ImageFormat.Gif)]
    internal void Rights_survive_in_every_format_and_places_serial_numbers_and_words_do_not(
        string saver, string options, ImageFormat? format)
    {
        var output = Output(Source(saver, options), format);

        var text = PacketOf(output).ToString();
        foreach (var kept in (string[])["© 2026 Müller", "Ann", "Ben", "Studio &amp; Sons", "https://shop.example/licence", Ai])
        {
            Assert.Contains(kept, text, StringComparison.Ordinal);
        }

        foreach (var gone in (string[])["52,30", "4711", "secret words", "xpacket"])
        {
            Assert.DoesNotContain(gone, output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_put_in_is_read_by_everybody()
    {
        foreach (var format in (ImageFormat[])[ImageFormat.Jpeg, ImageFormat.Png, ImageFormat.Webp, ImageFormat.Avif])
        {
            var output =
                Assert.IsType<CodecResult.Compressed>(
                    ImageCodec.Compress(Source("pngsave_buffer"), new CodecRequest { Format = format })).Body;
            using var opened = new OpenedFile(output);

            Assert.Contains(Ai, Encoding.UTF8.GetString((byte[])opened.Image.Get("xmp-data")), StringComparison.Ordinal);
            Assert.Equal((48, 48), (opened.Image.Width, opened.Image.Height));
        }
    }

    [Fact]
    public void Nothing_survives_where_nothing_shall() =>
        Assert.DoesNotContain("xmpmeta", Output(Source("jpegsave_buffer", "Q=95"), keepsRights: false), StringComparison.Ordinal);

    [Fact]
    public void Copyright_and_artist_of_EXIF_and_IPTC_survive_too()
    {
        byte[] exif =
        [
            .. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 2, 0x01, 0x3B, 0, 2, 0, 0, 0, 4, .. "Ann\0"u8, 0x82, 0x98, 0, 2, 0, 0, 0, 4, .. "Ben\0"u8,
            0, 0, 0, 0,
        ];
        byte[] iptc =
        [
            .. "Photoshop 3.0\08BIM"u8, 4, 4, 0, 0, 0, 0, 0, 18, 0x1C, 2, 110, 0, 3, .. "Cat"u8, 0x1C, 2, 116, 0, 5, .. "Dogs!"u8,
        ];
        var jpeg = Picture.Noise(48, 48).Save("jpegsave_buffer", "Q=95,keep=none");
        byte[] source =
        [
            .. jpeg[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, 0xFF, 0xED, 0, (byte)(iptc.Length + 2), .. iptc, .. jpeg[2..],
        ];

        var text = PacketOf(Output(source)).ToString();

        Assert.Contains("Ann", text, StringComparison.Ordinal);
        Assert.Contains("Cat", text, StringComparison.Ordinal);
        Assert.Contains("Dogs!", text, StringComparison.Ordinal); // IPTC counts before EXIF
        Assert.DoesNotContain("Ben", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packet_that_is_no_XML_or_says_nothing_of_rights_leaves_nothing()
    {
        Assert.Empty(RightsReader.Read(Source("jpegsave_buffer", value: "<x:xmpmeta><dc:rights>&"u8.ToArray()), ImageFormat.Jpeg));
        Assert.Empty(RightsReader.Read(
            Source("jpegsave_buffer", value: "<!DOCTYPE a [<!ENTITY b \"c\">]><x:xmpmeta xmlns:x='adobe:ns:meta/'/>"u8.ToArray()),
            ImageFormat.Jpeg));
    }

    [Fact]
    public void An_output_does_not_become_larger_than_its_source_for_what_it_says_of_rights()
    {
        var small = Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(
            Picture.Noise(16, 16).Save("pngsave_buffer"), new CodecRequest { Q = 5, Format = ImageFormat.Jpeg })).Body.ToArray();
        byte[] exif = [.. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x82, 0x98, 0, 2, 0, 0, 0, 4, .. "Ben\0"u8, 0, 0, 0, 0];
        byte[] source = [.. small[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. small[2..]];

        Assert.InRange(Output(source).Length, 1, source.Length);
    }
}
