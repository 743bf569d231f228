using Halftone.Codec.Png;
using Halftone.Codec.Tests.Images;

namespace Halftone.Codec.Tests.Png;

/// <summary>Kinds of images that shops have, drawn from a seed; all 4 bands unless said.</summary>
internal static class Pictures
{
    /// <summary>Texture at several scales with sensor noise: what a photograph is to a palette. 3 bands.</summary>
    public static Picture Photograph(int width, int height, int seed = 1) => Draw(width, height, 3, (x, y, pixel) =>
    {
        double a = Math.Sin((x * 0.9 + seed * 13) / 37) + Math.Sin((y + x * 0.3) / 23.0) * 0.7 + Math.Sin(x * y / 900.0) * 0.5;
        double b = Math.Cos((y * 0.7 - seed * 7) / 41) + Math.Sin((x - y) / 17.0) * 0.4;
        double noise = Hash(x, y, seed) % 13 - 6;
        pixel[0] = Clamp(120 + 45 * a + 20 * b + noise);
        pixel[1] = Clamp(110 + 30 * a + 30 * b + noise);
        pixel[2] = Clamp(95 + 15 * a - 35 * b + noise);
    });

    /// <summary>A shaded disc with a soft edge on full transparency that hides a colour.</summary>
    public static Picture CutOut(int width, int height) => Draw(width, height, 4, (x, y, pixel) =>
    {
        double r = Math.Sqrt(Math.Pow((x - width / 2.0) / width, 2) + Math.Pow((y - height / 2.0) / height, 2)) * 2.6;
        double noise = Hash(x, y, 3) % 9 - 4;
        pixel[0] = Clamp(210 - 120 * r + noise);
        pixel[1] = Clamp(150 - 60 * r + 0.1 * x + noise);
        pixel[2] = Clamp(90 + 0.2 * y + noise);
        pixel[3] = Clamp(255 * (1 - r) * 12);
    });

    /// <summary>Flat areas, an anti-aliased ring and a soft gradient.</summary>
    public static Picture Graphic(int width, int height) => Draw(width, height, 4, (x, y, pixel) =>
    {
        double r = Math.Sqrt(
            Math.Pow(x - width * 0.5, 2)
                + Math.Pow(y - height * 0.5, 2)), ring = Math.Clamp(width * 0.3 - Math.Abs(r - width * 0.3) * 4, 0, 1);
        double left = x < width / 2 ? 0 : 1, shade = y > height * 2 / 3 ? 80.0 * x / width : 0;
        pixel[0] = Clamp((34 + 200 * left + shade) * (1 - ring) + 250 * ring);
        pixel[1] = Clamp((139 - 20 * left + shade) * (1 - ring) + 250 * ring);
        pixel[2] = Clamp((230 - 180 * left) * (1 - ring) + 250 * ring);
        pixel[3] = 255;
    });

    /// <summary>Every colour and alpha drawn at random.</summary>
    public static Picture Noise(int width, int height, int bands)
    {
        var picture = Draw(width, height, bands, (_, _, _) => { });
        new Random(width * 31 + bands).NextBytes(picture.Samples);
        return picture;
    }

    /// <summary>At most this many colours, at random places.</summary>
    public static Picture FewColours(int width, int height, int colours, int seed)
    {
        var random = new Random(seed);
        var palette = new byte[colours * 4];
        random.NextBytes(palette);
        return Draw(width, height, 4, (_, _, pixel) => palette.AsSpan(random.Next(colours) * 4, 4).CopyTo(pixel));
    }

    public static Picture Draw(int width, int height, int bands, PixelDrawing draw)
    {
        var samples = new byte[width * height * bands];
        for (int i = 0; i < width * height; i++)
        {
            draw(i % width, i / width, samples.AsSpan(i * bands, bands));
        }

        return new Picture(width, height, bands, samples);
    }

    public static PixelGrid Grid(this Picture picture) => new(picture.Samples, picture.Width, picture.Height, picture.Bands);

    /// <summary>As it looks on a background of one grey: three bands.</summary>
    public static Picture On(this Picture picture, int background) => Draw(picture.Width, picture.Height, 3, (x, y, pixel) =>
    {
        var from = picture[x, y];
        int alpha = picture.Bands is 2 or 4 ? from[^1] : 255;
        for (int band = 0; band < 3; band++)
        {
            pixel[band] = (byte)((from[picture.Bands > 2 ? band : 0] * alpha + background * (255 - alpha) + 127) / 255);
        }
    });

    private static byte Clamp(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);

    private static uint Hash(int x, int y, int seed)
    {
        uint h = (uint)(x * 374761393 + y * 668265263 + seed * 974711);
        h = (h ^ h >> 13) * 1274126177u;
        return h ^ h >> 16;
    }
}

internal delegate void PixelDrawing(int x, int y, Span<byte> pixel);
