using System.IO.Compression;
using FsCheck;
using FsCheck.Fluent;
using Halftone.Codec.Png;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Codec.Tests.Png;

public sealed class PngWriterTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(5, 4)]
    [InlineData(16, 4)]
    [InlineData(17, 8)]
    [InlineData(256, 8)]
    public void Bits_of_an_index_are_as_few_as_reach_every_entry(int colours, int depth) => Assert.Equal(depth, PngWriter.Depth(colours));

    [Fact]
    public void What_is_written_is_read_back_by_libvips_index_by_index()
    {
        var sizes = Gen.Choose(1, 40).ToArbitrary();
        Prop.ForAll(sizes, sizes, Gen.Choose(1, 256).ToArbitrary(), (width, height, colours) =>
        {
            var palette = Palette(colours, width);
            var random = new Random(height);
            byte[] indices = [.. Enumerable.Range(0, width * height).Select(_ => (byte)random.Next(colours))];

            var read = ReadStrictly(Write(width, height, palette, indices));

            return (read.Width, read.Height) == (width, height) && indices.Select((index, i) => Pixel(read, i) == palette[index]).All(equal => equal);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(1, 3000)]
    [InlineData(3000, 1)]
    [InlineData(70_000, 2)]
    public void Long_and_thin_images_are_written_too(int width, int height)
    {
        var palette = Palette(200, 1);
        byte[] indices = [.. Enumerable.Range(0, width * height).Select(i => (byte)(i * 7919 % 200))];

        var read = ReadStrictly(Write(width, height, palette, indices));

        Assert.Equal(indices.Select(index => palette[index]), Enumerable.Range(0, indices.Length).Select(i => Pixel(read, i)));
    }

    [Fact]
    public void A_profile_comes_back_as_it_was()
    {
        var profile = new byte[700];
        new Random(1).NextBytes(profile);
        using var writer = new PngWriter(1, 1, [0xFF112233], profile, 6);
        writer.WriteRow([0]);
        var file = writer.Finish();

        // The chunk follows the header: name, end of name, compression method 0, the profile compressed (11.3.2.3).
        Assert.Equal("iCCP"u8, file.Span.Slice(37, 4));
        using var zlib = new ZLibStream(new MemoryStream(file.Span[46..].ToArray()), CompressionMode.Decompress);
        var read = new byte[profile.Length];
        zlib.ReadExactly(read);
        Assert.Equal(profile, read);
    }

    [Fact]
    public void Rows_that_do_not_belong_to_the_image_are_a_bug()
    {
        using var writer = new PngWriter(2, 1, [0xFF000000], default, 6);
        Assert.Throws<InvalidOperationException>(() => writer.WriteRow([0]));
        Assert.Throws<InvalidOperationException>(() => writer.Finish());
        writer.WriteRow([0, 0]);
        Assert.Throws<InvalidOperationException>(() => writer.WriteRow([0, 0]));
    }

    /// <summary>CRC-32 of "123456789": the check value of every catalogue of checksums.</summary>
    [Fact]
    public void The_checksum_is_that_of_ISO_3309() => Assert.Equal(0xCBF43926u, Crc32.Of("12345"u8, "6789"u8));

    /// <summary>Different colours; the first quarter translucent.</summary>
    private static uint[] Palette(int colours, int seed) =>
        [.. Enumerable.Range(0, colours).Select(i => (uint)(i * 65793 + seed * 97 & 0xFFFFFF) | (i < colours / 4 ? (uint)(i + 1) % 255 : 255) << 24)];

    private static ReadOnlyMemory<byte> Write(int width, int height, uint[] palette, byte[] indices)
    {
        ImageCodec.Initialize();
        using var writer = new PngWriter(width, height, palette, default, 6);
        for (int y = 0; y < height; y++)
        {
            writer.WriteRow(indices.AsSpan(y * width, width));
        }
        return writer.Finish();
    }

    private static uint Pixel(Picture picture, int i)
    {
        var pixel = picture[i % picture.Width, i / picture.Width];
        return (uint)(pixel[0] | pixel[picture.Bands > 2 ? 1 : 0] << 8 | pixel[picture.Bands > 2 ? 2 : 0] << 16) | (uint)(picture.Bands is 2 or 4 ? pixel[^1] : 255) << 24;
    }

    /// <summary>Decoded with every warning an error: checksums and chunk order are right, too.</summary>
    internal static Picture ReadStrictly(ReadOnlyMemory<byte> file)
    {
        ImageCodec.Initialize();
        using var pinned = file.Pin();
        using var image = VipsSource.Open("pngload_buffer", pinned, file.Length, new VOption { { "fail_on", Enums.FailOn.Warning } });
        using var pixels = image.Pixels();
        return new Picture(image.Width, image.Height, image.Bands, pixels.Bytes.ToArray());
    }
}
