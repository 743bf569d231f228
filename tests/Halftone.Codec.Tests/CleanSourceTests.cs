using System.Buffers.Binary;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests;

public sealed class CleanSourceTests
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
    internal void Ours_are_clean_and_with_a_byte_more_or_less_they_are_not(ImageFormat format, int bands)
    {
        var file = Clean(format, bands);

        Assert.True(CleanSource.Is(file, format));
        Assert.False(CleanSource.Is([.. file, 0], format));
        Assert.False(CleanSource.Is(file.AsSpan(0, file.Length - 1), format));
    }

    [Fact]
    public void A_progressive_JPEG_may_be_clean()
    {
        var file = Picture.Draw(40, 40).Save("jpegsave_buffer", "interlace=true").AsSpan();
        var exif = file.IndexOf<byte>([0xFF, 0xE1]);
        if (exif >= 0)
        {
            file = (byte[])[.. file[..exif], .. file[(exif + 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(exif + 2)..]))..]];
        }

        Assert.True(CleanSource.Is(file, ImageFormat.Jpeg));
    }

    [Theory]
    [InlineData(0xE1)]
    [InlineData(0xED)]
    [InlineData(0xFE)]
    public void A_JPEG_with_EXIF_IPTC_or_a_comment_is_not_clean(byte marker)
    {
        var file = Clean(ImageFormat.Jpeg);

        Assert.False(CleanSource.Is([.. file[..2], 0xFF, marker, 0, 6, 1, 2, 3, 4, .. file[2..]], ImageFormat.Jpeg));
    }

    [Theory]
    [InlineData("tEXt")]
    [InlineData("eXIf")]
    [InlineData("tIME")]
    public void A_PNG_with_text_EXIF_or_a_time_is_not_clean(string chunk)
    {
        var file = Clean(ImageFormat.Png);

        Assert.False(CleanSource.Is([.. file[..33], 0, 0, 0, 1, .. chunk.Select(letter => (byte)letter), 7, 0, 0, 0, 0, .. file[33..]], ImageFormat.Png));
    }

    [Theory]
    [InlineData("EXIF")]
    [InlineData("XMP ")]
    public void A_WebP_with_EXIF_or_XMP_is_not_clean(string chunk)
    {
        byte[] file = [.. Clean(ImageFormat.Webp), .. chunk.Select(letter => (byte)letter), 2, 0, 0, 0, 1, 2];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);

        Assert.False(CleanSource.Is(file, ImageFormat.Webp));
    }

    [Fact]
    public void A_GIF_with_a_comment_is_not_clean()
    {
        var file = Clean(ImageFormat.Gif);

        Assert.False(CleanSource.Is([.. file[..^1], 0x21, 0xFE, 2, 65, 66, 0, 0x3B], ImageFormat.Gif));
    }

    [Fact]
    public void An_AVIF_with_XMP_is_not_clean()
    {
        using var image = Picture.Draw(40, 40).Image().With("xmp-data", "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>"u8.ToArray());

        Assert.False(CleanSource.Is(Picture.Save(image, "heifsave_buffer", "compression=av1,effort=0"), ImageFormat.Avif));
    }
}
