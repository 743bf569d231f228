using System.Buffers.Binary;
using Halftone.Codec.Bare;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests;

public sealed class BareSourceTests
{
    /// <summary>A file of ours, so without metadata, in each format.</summary>
    private static byte[] Clean(ImageFormat format, int bands = 3) => Assert.IsType<CodecResult.Compressed>(
        ImageCodec.Compress(Picture.Draw(40, 40, bands).Save("pngsave_buffer"), new CodecRequest { Format = format })).Body.ToArray();

    [Theory]
    [InlineData(ImageFormat.Jpeg, 3)]
    [InlineData(ImageFormat.Png, 4)]
    [InlineData(ImageFormat.Webp, 4)]
    [InlineData(ImageFormat.Gif, 4)]
    [InlineData(ImageFormat.Avif, 4)]
    internal void Ours_stay_as_they_are_bytes_after_the_end_go_and_a_cut_file_is_no_copy_of_itself(ImageFormat format, int bands)
    {
        var file = Clean(format, bands);

        Assert.True(BareSource.Of(file, format)!.Value.Equals(file.AsMemory()));
        var withoutMore = Bare([.. file, 0], format)!;
        // An AVIF is written again, with the same picture.
        Assert.Equal(
            format == ImageFormat.Avif ? Picture.Decode(file).Samples : file,
            format == ImageFormat.Avif ? Picture.Decode(withoutMore).Samples : withoutMore);
        // A GIF that lacks its last byte is whole, and gets it back.
        Assert.Equal(format == ImageFormat.Gif ? file : null, Bare(file[..^1], format));
    }

    [Fact]
    public void A_progressive_JPEG_stays_as_it_is_but_for_its_EXIF()
    {
        var file = Picture.Draw(40, 40).Save("jpegsave_buffer", "interlace=true").AsSpan();
        var exif = file.IndexOf<byte>([0xFF, 0xE1]);
        byte[] without = exif < 0
            ? file.ToArray()
            : [.. file[..exif], .. file[(exif + 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(exif + 2)..]))..]];

        Assert.Equal(without, Bare(file.ToArray(), ImageFormat.Jpeg));
    }

    [Theory]
    [InlineData(0xE1)]
    [InlineData(0xED)]
    [InlineData(0xFE)]
    public void EXIF_IPTC_and_a_comment_are_taken_out_of_a_JPEG(byte marker)
    {
        var file = Clean(ImageFormat.Jpeg);

        Assert.Equal(file, Bare([.. file[..2], 0xFF, marker, 0, 6, 1, 2, 3, 4, .. file[2..]], ImageFormat.Jpeg));
    }

    [Theory]
    [InlineData("tEXt")]
    [InlineData("eXIf")]
    [InlineData("tIME")]
    public void Text_EXIF_and_a_time_are_taken_out_of_a_PNG(string chunk)
    {
        var file = Clean(ImageFormat.Png);

        Assert.Equal(
            file,
            Bare([.. file[..33], 0, 0, 0, 1, .. chunk.Select(letter => (byte)letter), 7, 0, 0, 0, 0, .. file[33..]], ImageFormat.Png));
    }

    [Theory]
    [InlineData("EXIF")]
    [InlineData("XMP ")]
    public void EXIF_and_XMP_are_taken_out_of_a_WebP(string chunk)
    {
        var clean = Clean(ImageFormat.Webp);
        byte[] file = [.. clean, .. chunk.Select(letter => (byte)letter), 2, 0, 0, 0, 1, 2];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);

        Assert.Equal(clean, Bare(file, ImageFormat.Webp));
    }

    [Fact]
    public void A_comment_is_taken_out_of_a_GIF()
    {
        var file = Clean(ImageFormat.Gif);

        Assert.Equal(file, Bare([.. file[..^1], 0x21, 0xFE, 2, 65, 66, 0, 0x3B], ImageFormat.Gif));
    }

    [Fact]
    public void XMP_is_taken_out_of_an_AVIF_and_its_picture_stays()
    {
        using var image = Picture.Draw(40, 40).Image().With("xmp-data", "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>"u8.ToArray());

        var source = Picture.Save(image, "heifsave_buffer", "compression=av1,effort=0");
        var bare = Bare(source, ImageFormat.Avif)!;

        Assert.NotEqual(-1, source.AsSpan().IndexOf("xmpmeta"u8));
        Assert.Equal(-1, bare.AsSpan().IndexOf("xmpmeta"u8));
        Assert.Equal(Picture.Decode(source).Samples, Picture.Decode(bare).Samples);
    }

    private static byte[]? Bare(byte[] source, ImageFormat format) => BareSource.Of(source, format) is { } bare ? bare.ToArray() : null;
}
