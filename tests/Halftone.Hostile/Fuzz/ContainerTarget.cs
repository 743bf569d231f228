using System.Text;
using Halftone.Codec;
using Halftone.Codec.Bare;
using Halftone.Codec.Metadata;

namespace Halftone.Hostile.Fuzz;

/// <summary>
/// The readers of files' structure, which run before any decoder: facts, kinds, processor time, rights, bitmaps, icons, frames of animated
/// PNG, and the
/// copy without metadata. None may throw, and a copy must be a copy of itself.
/// </summary>
internal sealed class ContainerTarget : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. ImageFiles.Small(),
        .. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "corpus", "kinds"))
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes)
            .Where(file => file.Length < 16_000),
        // A JPEG's header with XMP, IPTC and EXIF; a bitmap, an icon and an animated PNG of a few pixels.
        [
            0xFF, 0xD8, .. Segment(0xE1, [.. "http://ns.adobe.com/xap/1.0/\0"u8, .. Xmp]),
            .. Segment(0xED, [.. "Photoshop 3.0\08BIM\u0004\u0004\0\0\0\0\0\u000a\u001c\u0002\u0074\0\u0005maker"u8]),
            .. Segment(0xE1, [.. "Exif\0\0"u8, .. Exif]), 0xFF, 0xD9,
        ],
        [.. "BM"u8, 0, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, .. Bitmap, .. new byte[16]],
        [0, 0, 1, 0, 1, 0, 2, 2, 0, 0, 1, 0, 24, 0, 64, 0, 0, 0, 22, 0, 0, 0, .. Bitmap, .. new byte[24]],
        Convert.FromHexString(
            "89504E470D0A1A0A0000000D4948445200000001000000010802000000907753DE000000086163544C000000020000000037"
            + "B7B7A50000001A6663544C0000000000000001000000010000000000000000000A000A0000"
            + "0F9C4D1F0000000C4944415408D763F8CFC0000003010100C9FE92EF0000000049454E44AE426082"),
        [.. "II*\0"u8, 8, 0, 0, 0, .. Exif[10..]],
    ];

    private static ReadOnlySpan<byte> Xmp =>
        """
        <x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
        <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:p='http://ns.adobe.com/photoshop/1.0/' p:Credit='x'>
        <dc:rights><rdf:Alt><rdf:li>me</rdf:li></rdf:Alt></dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>
        """u8;

    private static byte[] Exif =>
        [
            .. "MM\0*"u8, 0, 0, 0, 8, 0, 2, 0x82, 0x98, 0, 2, 0, 0, 0, 3, (byte)'m', (byte)'e', 0, 0, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
            0, 0, 0, 0,
        ];

    private static byte[] Bitmap => [40, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0, .. new byte[24]];

    private static byte[] Segment(byte marker, byte[] body) =>
        [0xFF, marker, (byte)((body.Length + 2) >> 8), (byte)(body.Length + 2), .. body];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[]
        {
            "IHDR", "IDAT", "IEND", "acTL", "fcTL", "fdAT", "cICP", "gAMA", "cHRM", "eXIf", "iTXt", "tEXt", "zTXt", "Copyright\0",
            "XML:com.adobe.xmp\0", "RIFF", "VP8X", "VP8 ", "VP8L", "ANMF", "XMP ", "EXIF",
            "ftypavif", "ftypavis", "meta", "pitm", "iloc", "iinf", "infe", "iref", "iprp", "ipco", "ipma", "colr", "nclx", "moov", "trak",
            "stbl", "stco", "stsz", "stsc", "mdat", "mime", "Exif\0\0",
            "II*\0", "MM\0*", "II+\0", "BM", "8BIM", "Photoshop 3.0\0", "http://ns.adobe.com/xap/1.0/\0", "<x:xmpmeta>",
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>", "<dc:rights>", "&#0;", "<!DOCTYPE x [", "<svg",
        }.Select(Encoding.Latin1.GetBytes),
        [0xFF, 0xD8], [0xFF, 0xD9], [0xFF, 0xDA], [0xFF, 0xE1], [0xFF, 0xED], [0x2C], [0x21, 0xFF, 11], [0x3B], [0, 0, 0, 0],
        [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 1], [0x1C, 2, 116],
    ];

    public override Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        var sniffed = SourceSniffer.Sniff(input);
        // What the mutation did to the signature must not keep the readers from the rest.
        var format = sniffed.Format ?? (ImageFormat)(1 + input.Length % 8);
        var facts = SourceFacts.Read(input, format);
        WorkBudget.ExtraSeconds(input, new CodecRequest());
        RightsReader.Read(input, format);
        _ = facts.Tiff is { } tiff ? UnservedKind.OfTiff(tiff) ?? UnservedKind.ByCompression(tiff) : null;
        UnservedKind.OfJpeg(input);
        if (facts.Png is { } png)
        {
            PngAnimation.Read(input, png);
        }

        if (BmpImage.ReadHeader(input) is { } header && BmpImage.Unserved(header) is null && (long)header.Width * header.Height < 1_000_000)
        {
            BmpImage.Decode(input, header);
            BmpImage.DecodeIcon(input, header);
        }

        IconFile.Largest(input);
        return Task.FromResult($"{sniffed.Format?.ToString() ?? "none"} {Copy(input, format)}");
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Copy(byte[] input, ImageFormat format)
    {
        if (BareSource.Of(input, format) is not { } bare)
        {
            return "not understood";
        }

        if (BareSource.Of(bare, format) is not { } again || !again.Span.SequenceEqual(bare.Span))
        {
            throw new FuzzException("The copy of a copy is another.");
        }

        var told = BareSource.Of(bare, format, "<x:xmpmeta/>"u8);
        return told is null
            ? "copied"
            : BareSource.Of(told.Value, format) is { } without && without.Length <= bare.Length + 256
                ? "copied and told"
                : throw new FuzzException("What was put in does not come out.");
    }
}
