using System.Buffers.Binary;
using System.IO.Compression;
using Halftone.Codec.Png;
using Halftone.Codec.Tests.Images;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Codec.Tests.Png;

/// <summary>PNG in, PNG out, through the one door.</summary>
public sealed class PngCodecTests
{
    [Theory]
    [InlineData("bitdepth=1,palette=true")]
    [InlineData("bitdepth=2,palette=true")]
    [InlineData("bitdepth=4,palette=true")]
    [InlineData("palette=true,dither=0")]
    [InlineData("interlace=true")]
    [InlineData("")]
    public void Sources_of_every_depth_come_out_as_a_palette_that_is_not_interlaced(string options)
    {
        var source = Pictures.Graphic(160, 120).Save("pngsave_buffer", options);
        var before = Picture.Decode(source);

        var result = Compress(source);

        Assert.False(result.KeptOriginal);
        AssertPalettePng(result.Body.Span);
        Assert.InRange(Picture.Decode(result.Body).On(255).Psnr(before.On(255)), 38, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Sixteen_bits_become_eight_for_grey_colour_and_alpha(int bands)
    {
        var drawn = Picture.Draw(150, 100, bands);
        var result = Compress(Wide(drawn));

        AssertPalettePng(result.Body.Span);
        Assert.InRange(Picture.Decode(result.Body).On(255).Psnr(drawn.On(255)), 34, double.PositiveInfinity);
    }

    [Fact]
    public void A_small_profile_stays()
    {
        var drawn = Picture.Draw(120, 90);
        ImageCodec.Initialize();
        using var image = Image.FromPixels(drawn.Samples, drawn.Width, drawn.Height, 3);
        using var wide = image.IccTransform("p3", inputProfile: "srgb");
        var source = Picture.Save(wide, "pngsave_buffer", "keep=icc");

        var result = Compress(source);

        using var pinned = result.Body.Pin();
        using var read = VipsTranscoder.Open(pinned, result.Body.Length, ImageFormat.Png, ImageFormat.Png);
        Assert.Equal(wide.ColourProfile, read.ColourProfile);
        Assert.InRange(Picture.Decode(result.Body).Rgb().Psnr(drawn), 30, double.PositiveInfinity);
    }

    /// <summary>A palette is of red, green and blue, so a grey profile cannot stay: here one of linear light, in which 55 is sRGB's 128.</summary>
    [Fact]
    public void A_grey_profile_is_applied()
    {
        ImageCodec.Initialize();
        var flat = Pictures.Draw(30, 20, 1, (_, _, pixel) => pixel[0] = 55);
        using var image = Image.FromPixels(flat.Samples, 30, 20, 1);
        var source = WithProfile(Picture.Save(image, "pngsave_buffer"), LinearGrey());

        var result = Compress(source);

        AssertPalettePng(result.Body.Span);
        Assert.All(PngWriterTests.ReadStrictly(result.Body).Samples, sample => Assert.InRange(sample, 127, 129));
    }

    [Fact]
    public void A_jpeg_can_be_asked_for_as_png()
    {
        var drawn = Picture.Draw(120, 90);
        var result = Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(drawn.Save("jpegsave_buffer", "Q=95"), new CodecRequest { Format = ImageFormat.Png }));

        AssertPalettePng(result.Body.Span);
        Assert.InRange(Picture.Decode(result.Body).Rgb().Psnr(drawn), 32, double.PositiveInfinity);
    }

    /// <summary>
    /// Bytes changed, cut, doubled and inserted, half of the time with the chunk checksums put right again, so that the change gets past
    /// the door. Every answer is a result, and every image in it decodes without a warning.
    /// </summary>
    [Fact]
    public void Broken_files_are_refused_or_give_a_whole_image()
    {
        byte[][] seeds =
        [
            Pictures.Graphic(40, 33).Save("pngsave_buffer"),
            Pictures.CutOut(30, 30).Save("pngsave_buffer", "interlace=true"),
            Pictures.Photograph(37, 20).Save("pngsave_buffer", "palette=true"),
            Pictures.FewColours(19, 25, 4, 1).Save("pngsave_buffer", "palette=true,bitdepth=2"),
            Wide(Picture.Draw(21, 17, 2)),
        ];
        var random = new Random(20);
        int accepted = 0, refused = 0;
        for (int i = 0; i < 3000; i++)
        {
            var file = Mutate(seeds[i % seeds.Length], random);
            switch (ImageCodec.Compress(file, new CodecRequest { MaxPixels = 1_000_000 }))
            {
                case CodecResult.Compressed result:
                    var read = PngWriterTests.ReadStrictly(result.Body);
                    Assert.Equal((result.WidthPixels, result.HeightPixels), (read.Width, read.Height));
                    accepted++;
                    break;
                default:
                    refused++;
                    break;
            }
        }
        Assert.True(accepted > 100 && refused > 100, $"{accepted} accepted, {refused} refused");
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var file = seed.ToList();
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(8, file.Count), length = Math.Min(random.Next(1, 20), file.Count - at);
            switch (random.Next(5))
            {
                case 0: file[at] = (byte)random.Next(256); break;
                case 1: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: file.RemoveRange(at, length); break;
                case 3: file.InsertRange(at, file.GetRange(at, length)); break;
                default: file[random.Next(16, Math.Min(60, file.Count))] = (byte)random.Next(256); break;
            }
        }
        byte[] bytes = [.. file];
        if (random.Next(2) == 0)
        {
            MendChecksums(bytes);
        }
        return bytes;
    }

    private static void MendChecksums(byte[] file)
    {
        for (int at = 8; at + 12 <= file.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12)
            {
                break;
            }
            int end = at + 8 + (int)length;
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(end), Crc32.Of(file.AsSpan(at + 4, 4 + (int)length), default));
            at = end + 4;
        }
    }

    /// <summary>The least that ICC.1:2022 asks of a grey display profile, 8.4.3, with an identity curve.</summary>
    private static byte[] LinearGrey()
    {
        var profile = new byte[128 + 4 + 2 * 12 + 20 + 12];
        Write(0, (uint)profile.Length);
        Write(8, 0x02400000); // version
        "mntrGRAYXYZ "u8.CopyTo(profile.AsSpan(12));
        "acsp"u8.CopyTo(profile.AsSpan(36));
        D50(68);
        Write(128, 2);
        Tag(132, "wtpt"u8, 156, 20);
        Tag(144, "kTRC"u8, 176, 12);
        "XYZ "u8.CopyTo(profile.AsSpan(156));
        D50(164);
        "curv"u8.CopyTo(profile.AsSpan(176));
        return profile;

        void Write(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(profile.AsSpan(at), value);
        void D50(int at)
        {
            Write(at, 0xF6D6);
            Write(at + 4, 0x10000);
            Write(at + 8, 0xD32D);
        }
        void Tag(int at, ReadOnlySpan<byte> name, uint start, uint length)
        {
            name.CopyTo(profile.AsSpan(at));
            Write(at + 4, start);
            Write(at + 8, length);
        }
    }

    /// <summary>The file with an iCCP chunk put behind its header.</summary>
    private static byte[] WithProfile(byte[] file, byte[] profile)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(profile);
        }
        byte[] content = [.. "grey\0\0"u8, .. packed.ToArray()], chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        "iCCP"u8.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.Of("iCCP"u8, content));
        return [.. file.AsSpan(0, 33), .. chunk, .. file.AsSpan(33)];
    }

    /// <summary>A PNG of 16 bits a channel: each sample times 257, and a little more, which 8 bits cannot hold.</summary>
    private static byte[] Wide(Picture picture)
    {
        ImageCodec.Initialize();
        using var image = Image.FromPixels(picture.Samples, picture.Width, picture.Height, picture.Bands);
        using var pipeline = new VipsPipeline(image.Linear([257], [90]));
        pipeline.Apply(linear => linear.Cast(Enums.BandFormat.Ushort))
            .Apply(cast => cast.Copy(interpretation: picture.Bands > 2 ? Enums.Interpretation.Rgb16 : Enums.Interpretation.Grey16));
        var file = Picture.Save(pipeline.Image, "pngsave_buffer", "bitdepth=16");
        Assert.Equal(16, file[24]);
        return file;
    }

    private static CodecResult.Compressed Compress(byte[] source) => Assert.IsType<CodecResult.Compressed>(ImageCodec.Compress(source, new CodecRequest()));

    private static void AssertPalettePng(ReadOnlySpan<byte> file)
    {
        Assert.Equal(3, file[25]); // colour type
        Assert.Equal(0, file[28]); // interlace method
    }
}
