using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Codec.Tests.Images;

/// <summary>8-bit pixels that a test draws and compares: rows from the top, bands interleaved.</summary>
internal sealed record Picture(int Width, int Height, int Bands, byte[] Samples)
{
    /// <summary>Soft colours with an edge and a corner that tell top from bottom and left from right.</summary>
    public static Picture Draw(int width, int height, int bands = 3)
    {
        var samples = new byte[width * height * bands];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var pixel = samples.AsSpan((y * width + x) * bands, bands);
                var inCorner = x < width / 3 && y < height / 4;
                pixel[0] = (byte)(inCorner ? 230 : 40 + 150 * x / width);
                if (bands > 2)
                {
                    pixel[1] = (byte)(inCorner ? 40 : 60 + 150 * y / height);
                    pixel[2] = (byte)(inCorner ? 50 : 100 + 50 * (x + y) / (width + height));
                }
                if (bands is 2 or 4)
                {
                    pixel[^1] = (byte)(255 * x / Math.Max(1, width - 1));
                }
            }
        }
        return new Picture(width, height, bands, samples);
    }

    /// <summary>Incompressible: every sample drawn from a fixed seed.</summary>
    public static Picture Noise(int width, int height, int bands = 3)
    {
        var samples = new byte[width * height * bands];
        new Random(1).NextBytes(samples);
        return new Picture(width, height, bands, samples);
    }

    /// <summary>Squares of 32 pixels in colours that sRGB and the larger spaces share, with their centres.</summary>
    public static (Picture Picture, (int X, int Y)[] Centres) Patches()
    {
        (byte, byte, byte)[] colours = [(200, 60, 50), (60, 160, 70), (50, 70, 180), (230, 200, 60), (128, 128, 128), (240, 240, 235), (30, 30, 35), (210, 140, 110)];
        var picture = Draw(32 * colours.Length, 32);
        for (var x = 0; x < picture.Width; x++)
        {
            for (var y = 0; y < 32; y++)
            {
                var pixel = picture.Samples.AsSpan((y * picture.Width + x) * 3, 3);
                (pixel[0], pixel[1], pixel[2]) = colours[x / 32];
            }
        }
        return (picture, [.. Enumerable.Range(0, colours.Length).Select(i => (32 * i + 16, 16))]);
    }

    /// <summary>These pixels as they lie in a file whose EXIF orientation, 1 to 8, turns them into this picture.</summary>
    public Picture StoredFor(int orientation)
    {
        var (width, height) = orientation < 5 ? (Width, Height) : (Height, Width);
        var stored = new Picture(width, height, Bands, new byte[Samples.Length]);
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                // EXIF 2.32, section 4.6.4: which edges row 0 and column 0 show
                var (column, row) = orientation switch
                {
                    1 => (x, y),
                    2 => (Width - 1 - x, y),
                    3 => (Width - 1 - x, Height - 1 - y),
                    4 => (x, Height - 1 - y),
                    5 => (y, x),
                    6 => (y, Width - 1 - x),
                    7 => (Height - 1 - y, Width - 1 - x),
                    _ => (Height - 1 - y, x),
                };
                this[x, y].CopyTo(stored.Samples.AsSpan((row * width + column) * Bands));
            }
        }
        return stored;
    }

    public ReadOnlySpan<byte> this[int x, int y] => Samples.AsSpan((y * Width + x) * Bands, Bands);

    /// <summary>A file of these pixels, by the names of the libvips manual.</summary>
    public byte[] Save(string operation, string options = "")
    {
        using var image = Image();
        return Save(image, operation, options);
    }

    public Image Image()
    {
        ImageCodec.Initialize();
        return NetVips.Image.FromPixels(Samples, Width, Height, Bands);
    }

    public static byte[] Save(Image image, string operation, string options = "") =>
        (byte[])Operation.Call(operation, new VOption { { "string_options", options } }, image);

    /// <summary>The pixels of a file as a viewer shows them: upright, 8-bit sRGB, frames one below the other.</summary>
    public static Picture Decode(ReadOnlyMemory<byte> file)
    {
        using var opened = new OpenedFile(file);
        using var pipeline = new VipsPipeline(opened.Image.Copy());
        if (pipeline.Image.Orientation != 1)
        {
            pipeline.Replace(pipeline.Image.CopyMemory()).Apply(image => image.Autorot());
        }
        if (pipeline.Image.ColourProfile.Length > 0)
        {
            pipeline.Apply(image => image.IccTransform("srgb", embedded: true, intent: Enums.Intent.Relative, blackPointCompensation: true));
        }
        if (pipeline.Image.Interpretation is not (Enums.Interpretation.Srgb or Enums.Interpretation.Bw))
        {
            pipeline.Apply(image => image.Colourspace(Enums.Interpretation.Srgb));
        }
        using var pixels = pipeline.Image.Pixels();
        return new Picture(pipeline.Image.Width, pipeline.Image.Height, pipeline.Image.Bands, pixels.Bytes.ToArray());
    }

    /// <summary>The same picture with red, green and blue and nothing else.</summary>
    public Picture Rgb()
    {
        var samples = new byte[Width * Height * 3];
        for (var i = 0; i < Width * Height; i++)
        {
            for (var band = 0; band < 3; band++)
            {
                samples[3 * i + band] = Samples[Bands * i + (Bands > 2 ? band : 0)];
            }
        }
        return new Picture(Width, Height, 3, samples);
    }

    /// <summary>The picture at a smaller size: every sample the mean of the area it covers. Slow, and nobody else's arithmetic.</summary>
    public Picture Averaged(int width, int height)
    {
        var small = new Picture(width, height, Bands, new byte[width * height * Bands]);
        double across = (double)Width / width, down = (double)Height / height;
        for (var i = 0; i < small.Samples.Length; i++)
        {
            int band = i % Bands, x = i / Bands % width, y = i / Bands / width;
            double sum = 0;
            for (var row = (int)(y * down); row < Math.Min(Height, (y + 1) * down); row++)
            {
                var high = Math.Min(row + 1, (y + 1) * down) - Math.Max(row, y * down);
                for (var column = (int)(x * across); column < Math.Min(Width, (x + 1) * across); column++)
                {
                    sum += high * (Math.Min(column + 1, (x + 1) * across) - Math.Max(column, x * across)) * this[column, row][band];
                }
            }
            small.Samples[i] = (byte)Math.Round(sum / (across * down));
        }
        return small;
    }

    /// <summary>Peak signal-to-noise ratio over all samples in dB; infinite where equal.</summary>
    public double Psnr(Picture other)
    {
        Assert.Equal((Width, Height, Bands), (other.Width, other.Height, other.Bands));
        double sum = 0;
        for (var i = 0; i < Samples.Length; i++)
        {
            double difference = Samples[i] - other.Samples[i];
            sum += difference * difference;
        }
        return 10 * Math.Log10(255 * 255 / (sum / Samples.Length));
    }
}
