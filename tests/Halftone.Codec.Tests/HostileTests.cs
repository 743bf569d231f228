using System.Buffers.Binary;
using System.Text;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Codec.Tests;

/// <summary>Files that lie about themselves, are no images, or are broken: an answer, never an exception.</summary>
public sealed class HostileTests
{
    private static CodecResult.Refused Refused(byte[] source) =>
        Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(source, new CodecRequest()));

    [Theory]
    [InlineData("", CodecError.NotAnImage, "an empty file")]
    [InlineData("<!DOCTYPE html><html><body>Not found</body></html>", CodecError.NotAnImage, "an HTML page")]
    [InlineData("\r\n  <HTML>", CodecError.NotAnImage, "an HTML page")]
    [InlineData("{\"error\":\"no such product\"}", CodecError.NotAnImage, "a JSON document")]
    [InlineData("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", CodecError.NotAnImage, "an XML document")]
    [InlineData("Not Found", CodecError.NotAnImage, "text")]
    [InlineData("PK\u0003\u0004", CodecError.NotAnImage, "a ZIP archive or an office document")]
    [InlineData("\u0001\u0002\u0003", CodecError.NotAnImage, "bytes of no known image format")]
    [InlineData("\0\0\0\u0018ftypmp42\0\0\0\0mp42isom", CodecError.NotAnImage, "a video")]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0mif1heic", CodecError.UnsupportedFormat, "a HEIC image")]
    [InlineData("\0\0\0\u0018ftypavis\0\0\0\0avifmsf1", CodecError.UnsupportedFormat, "an animated AVIF image")]
    [InlineData("%PDF-1.7", CodecError.UnsupportedFormat, "a PDF document")]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", CodecError.UnsupportedFormat, "an SVG drawing")]
    [InlineData("<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg/>", CodecError.UnsupportedFormat, "an SVG drawing")]
    [InlineData("BM\u0036\0\0\0\0\0\0\0", CodecError.UnsupportedFormat, "a BMP image")]
    [InlineData("8BPS", CodecError.UnsupportedFormat, "a Photoshop document")]
    public void What_is_not_served_is_named(string latin1, CodecError error, string description) =>
        Assert.Equal(new CodecResult.Refused(error, description), Refused(Encoding.Latin1.GetBytes(latin1)));

    /// <summary>Real files whose header is made to claim more than the limit.</summary>
    public static TheoryData<string, byte[]> Giants()
    {
        var drawn = Picture.Draw(16, 16);
        var png = drawn.Save("pngsave_buffer");
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 60_000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        var jpeg = drawn.Save("jpegsave_buffer");
        var frame = jpeg.AsSpan().IndexOf<byte>([0xFF, 0xC0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), 65_000);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), 65_000);
        var gif = drawn.Save("gifsave_buffer");
        var first = gif.AsSpan().IndexOf<byte>([0x2C, 0, 0, 0, 0, 16, 0, 16, 0]); // the screen's size is not believed, the frame's is
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(first + 5), 65_000);
        BinaryPrimitives.WriteUInt16LittleEndian(gif.AsSpan(first + 7), 65_000);
        var webp = Picture.Draw(16, 16, bands: 4).Save("webpsave_buffer");
        var extended = webp.AsSpan().IndexOf("VP8X"u8);
        webp.AsSpan(extended + 12, 6).Fill(0xFE); // 24 bits each, but no more than 2^32 - 1 pixels together
        webp[extended + 17] = 0;
        webp[extended + 14] = 0;
        var tiff = TiffFile.Write(16, 16, 1, 8, new byte[256]);
        BinaryPrimitives.WriteInt32LittleEndian(tiff.AsSpan(18), 60_000);
        BinaryPrimitives.WriteInt32LittleEndian(tiff.AsSpan(30), 60_000);
        return new() { { "PNG", png }, { "JPEG", jpeg }, { "GIF", gif }, { "WebP", webp }, { "TIFF", tiff } };
    }

    [Theory]
    [MemberData(nameof(Giants))]
    public void A_giant_by_its_header_is_refused_before_it_is_decoded(string name, byte[] source)
    {
        var before = Environment.WorkingSet;

        var refused = Refused(source);

        Assert.True(refused.Error is CodecError.TooManyPixels or CodecError.CorruptImage, $"{name}: {refused}");
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 200 << 20);
    }

    [Fact]
    public void The_limit_counts_all_frames_of_an_animation()
    {
        using var frames = Picture.Draw(40, 40 * 10).Image().With("page-height", 40);
        var source = Picture.Save(frames, "gifsave_buffer");

        var refused = Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(source, new CodecRequest { MaxPixels = 15_999 }));

        Assert.Equal(new CodecResult.Refused(CodecError.TooManyPixels, "40 x 40 pixels in 10 frames, more than 15999"), refused);
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(source, new CodecRequest { MaxPixels = 16_000 }));
    }

    [Theory]
    [InlineData(9_999, false)]
    [InlineData(10_000, false)]
    [InlineData(10_001, true)]
    [InlineData(100_000, true)]
    public void More_than_ten_thousand_frames_are_refused_before_any_is_decoded(int frames, bool refused)
    {
        // A frame of one pixel each: control block, descriptor, three bytes of LZW.
        byte[] frame = [0x21, 0xF9, 4, 0, 1, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0];
        byte[] gif = [.. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, .. Enumerable.Repeat(frame, frames).SelectMany(bytes => bytes), 0x3B];

        Assert.Equal(refused, GifFrames.Count(gif, 10_000) > 10_000);
        Assert.Equal(frames, GifFrames.Count(gif, int.MaxValue - 1));
        if (refused)
        {
            Assert.Equal(new CodecResult.Refused(CodecError.TooManyPixels, "more than 10000 frames"), Refused(gif));
        }
    }

    [Fact]
    public void Frames_of_a_real_GIF_are_counted_and_of_a_cut_one_those_that_are_there()
    {
        using var frames = Picture.Draw(40, 40 * 10).Image().With("page-height", 40);
        var gif = Picture.Save(frames, "gifsave_buffer");

        Assert.Equal(10, GifFrames.Count(gif, 10_000));
        for (var length = 0; length < gif.Length; length += 7)
        {
            Assert.InRange(GifFrames.Count(gif.AsSpan(0, length), 10_000), 0, 10);
        }
    }

    /// <summary>libvips shows the frames before the cut, as if there were no more.</summary>
    [Theory]
    [InlineData("gifsave_buffer")]
    [InlineData("webpsave_buffer")]
    public void An_animation_that_is_cut_within_a_frame_is_corrupt_at_every_size(string saver)
    {
        using var frames = Picture.Noise(40, 40 * 4).Image().With("page-height", 40);
        var whole = Picture.Save(frames, saver);
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(whole, new CodecRequest { MaxWidth = 20 }));
        var boundaries = 0;

        for (var length = whole.Length - 2; length > 0; length -= Math.Max(1, whole.Length / 300))
        {
            int? maxWidth = length % 2 == 0 ? 20 : null;
            if (ImageCodec.Compress(whole.AsMemory(0, length), new CodecRequest { MaxWidth = maxWidth }) is CodecResult.Compressed)
            {
                // Between two frames of a GIF nothing tells that there should be more.
                Assert.False(saver != "gifsave_buffer" || GifFrames.IsCut(whole.AsSpan(0, length)), $"{length} of {whole.Length} bytes");
                boundaries++;
            }
        }

        Assert.InRange(boundaries, 0, 6);
    }

    [Theory]
    [InlineData(65_536, 1)]
    [InlineData(1, 65_536)]
    public void A_side_longer_than_any_JPEGs_is_refused(int width, int height) =>
        Assert.Equal(
            new CodecResult.Refused(CodecError.TooManyPixels, $"{width} x {height} pixels, a side of more than 65535"),
            Refused(Picture.Draw(width, height).Save("pngsave_buffer")));

    /// <summary>Found by fuzzing; out of memory would end the child, and the one after it.</summary>
    [Fact]
    public void An_AVIF_of_more_parts_than_libheif_takes_is_corrupt_and_not_out_of_memory()
    {
        const string File =
            "AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEB"
            + "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
            + "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
            + "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

        Assert.Equal(CodecError.CorruptImage, Refused(Convert.FromBase64String(File)).Error);
    }

    [Fact]
    public void An_animated_PNG_is_refused_rather_than_stilled()
    {
        var png = Picture.Draw(16, 16).Save("pngsave_buffer");
        byte[] control = [0, 0, 0, 8, .. "acTL"u8, 0, 0, 0, 2, 0, 0, 0, 0];
        var checksum = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(checksum, Crc(control.AsSpan(4)));

        Assert.Equal(new CodecResult.Refused(CodecError.UnsupportedFormat, "an animated PNG image"), Refused([.. png[..33], .. control, .. checksum, .. png[33..]]));
    }

    [Theory]
    [InlineData("jpegsave_buffer", "")]
    [InlineData("pngsave_buffer", "")]
    [InlineData("webpsave_buffer", "")]
    [InlineData("gifsave_buffer", "")]
    [InlineData("heifsave_buffer", "compression=av1,effort=0")]
    public void Broken_files_get_an_answer_and_every_output_is_whole(string saver, string options)
    {
        var whole = Picture.Draw(24, 24).Save(saver, options);
        var random = new Random(7);
        var outputs = 0;
        for (var length = 0; length < Math.Min(200, whole.Length); length += 3)
        {
            ImageCodec.Compress(whole.AsMemory(0, length), new CodecRequest());
        }
        for (var i = 0; i < 150; i++)
        {
            var broken = whole.ToArray();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            }
            if (ImageCodec.Compress(broken, new CodecRequest { MaxPixels = 4_000_000 }) is CodecResult.Compressed output)
            {
                var decoded = Picture.Decode(output.Body);
                Assert.Equal(output.WidthPixels, decoded.Width);
                outputs++;
            }
        }
        Assert.InRange(outputs, 0, 149);
    }

    [Theory]
    [InlineData("svgload_buffer", "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>")]
    [InlineData("magickload_buffer", "P1 1 1 1")]
    [InlineData("jp2kload_buffer", "")]
    public void What_libvips_knows_beyond_the_served_formats_is_shut(string operation, string source)
    {
        ImageCodec.Initialize();
        var bytes = Encoding.ASCII.GetBytes(source).AsMemory();
        using var pinned = bytes.Pin();

        // libvips keeps one text of what went wrong for the whole process, and other tests add to it and take it.
        var reasons = new List<string>();
        while (reasons.Count < 1_000 && !reasons.Exists(reason => reason.Contains("blocked", StringComparison.Ordinal) || reason.Contains("not found", StringComparison.Ordinal)))
        {
            reasons.Add(Assert.Throws<VipsException>(() => VipsSource.Open(operation, pinned, bytes.Length, [])).Message);
        }

        Assert.True(reasons.Count < 1_000, string.Join('\n', reasons.Distinct()));
    }

    [Fact]
    public void Nor_does_it_write_other_formats()
    {
        using var image = Picture.Draw(8, 8).Image();

        Assert.Throws<VipsException>(() => Picture.Save(image, "tiffsave_buffer"));
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }
        return ~crc;
    }

    [Theory]
    [InlineData(ImageFormat.Webp, 16_383)]
    [InlineData(ImageFormat.Avif, 16_384)]
    [InlineData(ImageFormat.Jpeg, 65_500)]
    public void A_side_that_a_format_cannot_hold_is_too_long_and_no_fault_of_the_source(ImageFormat format, int longest)
    {
        var request = new CodecRequest { Format = format, AvifEffort = 0 };
        var refused = Assert.IsType<CodecResult.Refused>(ImageCodec.Compress(Picture.Draw(longest + 1, 2).Save("pngsave_buffer"), request));
        Assert.Equal(new CodecResult.Refused(CodecError.TooManyPixels, $"{longest + 1} x 2 pixels, a side of more than {longest}, the longest of {format}"), refused);
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(Picture.Draw(longest, 2).Save("pngsave_buffer"), request));
        Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(Picture.Draw(longest + 1, 2).Save("pngsave_buffer"), request with { MaxWidth = 400 }));
    }
}
