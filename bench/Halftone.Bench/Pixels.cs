using Halftone.Codec;
using NetVips;

namespace Halftone.Bench;

/// <summary>An image's samples as they are stored, three of 8 bits to a pixel; grey has all three alike.</summary>
internal sealed record Pixels(int Width, int Height, byte[] Rgb)
{
    public Luma Luma => new(Width, Height, [.. Enumerable.Range(0, Width * Height).Select(LumaOf)]);

    /// <summary>Decodes a JPEG; no profile and no orientation is applied.</summary>
    public static Pixels Of(ReadOnlyMemory<byte> file)
    {
        ImageCodec.Initialize();
        using var image = Image.JpegloadBuffer(file.ToArray());
        using var colour = image.Bands == 1 ? image.Bandjoin(image, image) : image.Copy();
        return new Pixels(image.Width, image.Height, colour.WriteToMemory<byte>());
    }

    /// <summary>The middle, at most so many pixels across and down.</summary>
    public Pixels Middle(int side)
    {
        int width = Math.Min(side, Width), height = Math.Min(side, Height), left = (Width - width) / 2, top = (Height - height) / 2;
        var rgb = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            Rgb.AsSpan(((y + top) * Width + left) * 3, width * 3).CopyTo(rgb.AsSpan(y * width * 3));
        }

        return new Pixels(width, height, rgb);
    }

    private float LumaOf(int pixel) => 0.299f * Rgb[3 * pixel] + 0.587f * Rgb[3 * pixel + 1] + 0.114f * Rgb[3 * pixel + 2];
}
