using System.Buffers.Binary;
using Halftone.Codec.Colour;
using Halftone.Codec.Png;
using Halftone.Codec.Tests.Images;
using NetVips;

namespace Halftone.Codec.Tests.Kinds;

/// <summary>Files of odd kinds, each made so that it shows the same picture, <see cref="Shown"/>.</summary>
internal static class MadeFiles
{
    private const int Width = 96, Height = 72;

    /// <summary>The picture, in sRGB, of soft colours that every larger space holds too.</summary>
    public static Picture Shown { get; } = Picture.Draw(Width, Height);

    public static Picture ShownGrey { get; } = new(Width, Height, 1, [.. Shown.Samples.Where((_, i) => i % 3 == 0)]);

    private static double Linear(byte srgb) => srgb <= 10 ? srgb / 255.0 / 12.92 : Math.Pow((srgb / 255.0 + 0.055) / 1.055, 2.4);

    /// <summary>A PNG of 16 bits whose numbers are those of other colours, and a chunk that says so.</summary>
    /// <param name="chunk">Name and body; empty for none.</param>
    /// <param name="encode">Linear light, 1 for white, to a number from 0 to 1.</param>
    /// <param name="primaries">H.273's number of the primaries.</param>
    /// <param name="picture">What it shows.</param>
    /// <param name="profile">An ICC profile.</param>
    public static byte[] Png(byte[] chunk, Func<double, double> encode, int primaries = 1, Picture? picture = null, byte[]? profile = null)
    {
        picture ??= Shown;
        var samples = new ushort[picture.Samples.Length];
        var matrix = Inverse(MadeProfile.ToLinearSrgb(NumberedColours.Primaries(primaries))!);
        for (var i = 0; i < samples.Length; i += picture.Bands)
        {
            double[] light = [.. picture.Samples[i..(i + picture.Bands)].Select(Linear)];
            for (var band = 0; band < picture.Bands; band++)
            {
                var value = picture.Bands == 1
                    ? light[0]
                    : matrix[band, 0] * light[0] + matrix[band, 1] * light[1] + matrix[band, 2] * light[2];
                samples[i + band] = (ushort)Math.Round(65535 * Math.Clamp(encode(Math.Max(0, value)), 0, 1));
            }
        }

        ImageCodec.Initialize();
        using var plain = Image.NewFromMemory(samples, picture.Width, picture.Height, picture.Bands, Enums.BandFormat.Ushort);
        using var image = plain.Copy(interpretation: picture.Bands == 1 ? Enums.Interpretation.Grey16 : Enums.Interpretation.Rgb16);
        using var told = profile is null ? image.Copy() : image.Mutate(copy => copy.Set(GValue.BlobType, "icc-profile-data", profile));
        var png = told.PngsaveBuffer(keep: profile is null ? Enums.ForeignKeep.None : Enums.ForeignKeep.Icc);
        return chunk.Length == 0 ? png : [.. png[..33], .. Chunk(chunk), .. png[33..]];
    }

    public static byte[] Gamma(double gamma) => [.. "gAMA"u8, .. UInt32((int)Math.Round(gamma * 100_000))];

    public static byte[] Chromaticities(int primaries) =>
        [.. "cHRM"u8, .. NumberedColours.Primaries(primaries).SelectMany(value => UInt32((int)Math.Round(value * 100_000)))];

    public static byte[] Chunk(byte[] nameAndBody)
    {
        var checksum = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(checksum, Crc32.Of(nameAndBody, default));
        return [.. UInt32(nameAndBody.Length - 4), .. nameAndBody, .. checksum];
    }

    /// <summary>ITU-R BT.2100's curve for light of which 1 is diffuse white.</summary>
    public static double Pq(double light)
    {
        var power = Math.Pow(light * 203 / 10_000, 2610.0 / 16384);
        return Math.Pow((3424.0 / 4096 + 2413.0 / 4096 * 32 * power) / (1 + 2392.0 / 4096 * 32 * power), 2523.0 / 4096 * 128);
    }

    public static double Srgb(double light) => light <= 0.0031308 ? 12.92 * light : 1.055 * Math.Pow(light, 1 / 2.4) - 0.055;

    public static TiffPart Tiff(Picture? picture =
        null) => (picture ?? Shown) is var shown ? new TiffPart(shown.Width, shown.Height, shown.Bands, 8, shown.Samples) : null!;

    /// <summary>Each pixel's samples with more behind them.</summary>
    public static byte[] With(Picture picture, params byte[] more) => [.. Pixels(picture).SelectMany(pixel => (byte[])[.. pixel, .. more])];

    /// <summary>The numbers of CIE Lab under D50 that show the picture.</summary>
    /// <param name="bytes">Of a sample, 1 or 2, little endian.</param>
    /// <param name="isIcc">a and b about the middle, and not signed.</param>
    public static byte[] Lab(int bytes, bool isIcc)
    {
        using var image = Shown.Image();
        using var lab = image.IccImport(inputProfile: "srgb", intent: Enums.Intent.Relative);
        var values = lab.WriteToMemory<float>();
        var file = new List<byte>();
        for (var i = 0; i < values.Length; i++)
        {
            var number = i % 3 == 0
                ? values[i] * (bytes == 1 ? 255 : isIcc ? 65280 : 65535) / 100
                : (values[i] + (isIcc ? 128 : 0)) * (bytes == 1 ? 1 : 256);
            var rounded = (int)Math.Round(number);
            file.AddRange(bytes == 1 ? [(byte)rounded] : [(byte)rounded, (byte)(rounded >> 8)]);
        }

        return [.. file];
    }

    /// <summary>A BMP of 24 or 32 bits; with masks and alpha where a fourth band is there.</summary>
    public static byte[] Bmp(Picture picture, bool isTopDown = false)
    {
        var hasAlpha = picture.Bands == 4;
        var headerBytes = hasAlpha ? 108 : 40;
        var file = new List<byte>();
        file.AddRange([
            .. "BM"u8, .. new byte[8], .. Little(14 + headerBytes), .. Little(headerBytes), .. Little(picture.Width),
            .. Little(isTopDown ? -picture.Height : picture.Height),
        ]);
        file.AddRange([1, 0, (byte)(8 * picture.Bands), 0, (byte)(hasAlpha ? 3 : 0), 0, 0, 0, .. new byte[20]]);
        if (hasAlpha)
        {
            file.AddRange([0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, .. "BGRs"u8, .. new byte[48]]);
        }

        for (var row = 0; row < picture.Height; row++)
        {
            var y = isTopDown ? row : picture.Height - 1 - row;
            for (var x = 0; x < picture.Width; x++)
            {
                var pixel = picture[x, y];
                file.AddRange([pixel[2], pixel[1], pixel[0], .. pixel[3..]]);
            }

            file.AddRange(new byte[(4 - file.Count % 4 + (14 + headerBytes) % 4) % 4]);
        }

        return [.. file];
    }

    /// <summary>An icon of a small PNG and a large bitmap with a mask that shows all of it.</summary>
    public static byte[] Icon()
    {
        var small = Picture.Draw(16, 16).Save("pngsave_buffer");
        var bitmap = Bmp(Shown)[14..];
        BinaryPrimitives.WriteInt32LittleEndian(bitmap.AsSpan(8), 2 * Height);
        byte[] large = [.. bitmap, .. new byte[(Width + 31) / 32 * 4 * Height]];
        const int Directory = 6 + 2 * 16;
        return
        [
            0, 0, 1, 0, 2, 0,
            16, 16, 0, 0, 1, 0, 32, 0, .. Little(small.Length), .. Little(Directory),
            Width, Height, 0, 0, 1, 0, 24, 0, .. Little(large.Length), .. Little(Directory + small.Length),
            .. small, .. large,
        ];
    }

    /// <summary>
    /// An animated PNG: the picture, a red square that is cleared away, and a blue one that stays. 100, 200 and 300 ms, four times.
    /// </summary>
    /// <param name="frames">Of these three.</param>
    public static byte[] AnimatedPng(int frames = 3)
    {
        var picture = With(Shown, 255);
        var png = new Picture(Width, Height, 4, picture).Save("pngsave_buffer");
        var data = DataOf(png);
        var file = new List<byte>([.. png[..33], .. Chunk([.. "acTL"u8, .. UInt32(frames), .. UInt32(4)])]);
        file.AddRange(Chunk([.. "fcTL"u8, .. Control(0, Width, Height, 0, 0, 100, 0, 0)]));
        file.AddRange(Chunk([.. "IDAT"u8, .. data]));
        var sequence = 1;
        foreach (var (colour, delay, disposal) in ((byte[], int, byte)[])[([220, 20, 20, 255], 200, 2), ([20, 20, 220, 128], 300, 0)])
        {
            if (--frames == 0)
            {
                break;
            }

            byte[] square = [.. Enumerable.Repeat(colour, 20 * 10).SelectMany(pixel => pixel)];
            file.AddRange(Chunk([.. "fcTL"u8, .. Control(sequence++, 20, 10, 30, 40, delay, disposal, 1)]));
            file.AddRange(Chunk([.. "fdAT"u8, .. UInt32(sequence++), .. DataOf(new Picture(20, 10, 4, square).Save("pngsave_buffer"))]));
        }

        return [.. file, .. Chunk([.. "IEND"u8])];
    }

    /// <summary>The frames of <see cref="AnimatedPng"/> as they are seen, one below the other.</summary>
    public static Picture AnimatedPngFrames()
    {
        byte[] red = [.. Shown.Samples], blue = [.. Shown.Samples];
        for (var i = 0; i < 200; i++)
        {
            var at = ((40 + i / 20) * Width + 30 + i % 20) * 3;
            ((byte[])[220, 20, 20]).CopyTo(red, at);
            for (var band = 0; band < 3; band++)
            {
                blue[at + band] = (byte)((blue[at + band] * 127 + (band == 2 ? 220 : 20) * 128 + 127) / 255);
            }
        }

        return new Picture(Width, 3 * Height, 3, [.. Shown.Samples, .. red, .. blue]);
    }

    private static byte[] Control(int sequence, int width, int height, int x, int y, int delay, byte disposal, byte blend) =>
        [
            .. UInt32(sequence), .. UInt32(width), .. UInt32(height), .. UInt32(x), .. UInt32(y), (byte)(delay >> 8), (byte)delay,
            1000 >> 8, 1000 & 255, disposal, blend,
        ];

    private static byte[] DataOf(byte[] png)
    {
        var data = new List<byte>();
        var chunks = new PngChunks(png);
        while (chunks.Next())
        {
            if (chunks.Name.SequenceEqual("IDAT"u8))
            {
                data.AddRange(chunks.Body);
            }
        }

        return [.. data];
    }

    private static IEnumerable<byte[]> Pixels(Picture picture) => picture.Samples.Chunk(picture.Bands);

    private static byte[] UInt32(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static byte[] Little(int value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];

    private static double[,] Inverse(double[,] m)
    {
        double Minor(int r0, int r1, int c0, int c1) => m[r0, c0] * m[r1, c1] - m[r0, c1] * m[r1, c0];
        var d = m[0, 0] * Minor(1, 2, 1, 2) - m[0, 1] * Minor(1, 2, 0, 2) + m[0, 2] * Minor(1, 2, 0, 1);
        return new[,]
        {
            { Minor(1, 2, 1, 2) / d, -Minor(0, 2, 1, 2) / d, Minor(0, 1, 1, 2) / d },
            { -Minor(1, 2, 0, 2) / d, Minor(0, 2, 0, 2) / d, -Minor(0, 1, 0, 2) / d },
            { Minor(1, 2, 0, 1) / d, -Minor(0, 2, 0, 1) / d, Minor(0, 1, 0, 1) / d },
        };
    }
}
