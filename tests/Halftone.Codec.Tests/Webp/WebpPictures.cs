using Halftone.Codec.Tests.Images;
using Halftone.Codec.Webp;

namespace Halftone.Codec.Tests.Webp;

/// <summary>Pictures that need every kind of prediction, and what libwebp shows of planes.</summary>
internal static class WebpPictures
{
    /// <summary>Slopes, edges at all angles, fine texture and flat ground beside each other.</summary>
    public static Picture Busy(int width, int height, int bands = 3, int seed = 1)
    {
        var picture = Picture.Draw(width, height, bands);
        var random = new Random(seed);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var pixel = picture.Samples.AsSpan((y * width + x) * bands, Math.Min(bands, 3));
                var angle = Math.Atan2(y - height / 2.0, x - width / 2.0);
                var grain = x * 3 > width && y * 2 > height ? random.Next(-25, 26) : 0;
                var ray = Math.Sin(angle * 14) > 0.2 && Math.Abs(x - width / 2) < width / 3 ? 60 : 0;
                for (var band = 0; band < pixel.Length; band++)
                {
                    pixel[band] = (byte)Math.Clamp(pixel[band] + grain + ray * (band + 1) / 3, 0, 255);
                }
            }
        }

        return picture;
    }

    /// <summary>
    /// Red, green and blue of planes in libwebp's arithmetic: chroma between samples weighs 9, 3, 3 and 1 (its "fancy" upsampling), then
    /// BT.601 in
    /// 14-bit fractions.
    /// </summary>
    public static byte[] Shown(Planes planes, int width, int height)
    {
        var samples = new byte[width * height * 3];
        int chromaWide = (width + 1) / 2, chromaHigh = (height + 1) / 2;
        for (var y = 0; y < height; y++)
        {
            // Even rows lie nearer to the chroma row above them than odd ones to the next; the first and the last have no other.
            int near = y / 2, far = Math.Clamp(y % 2 == 0 ? near - 1 : near + 1, 0, chromaHigh - 1);
            for (var x = 0; x < width; x++)
            {
                int own = x / 2, other = Math.Clamp(x % 2 == 0 ? own - 1 : own + 1, 0, chromaWide - 1);
                int luma = planes.Luma[y * planes.LumaStride + x];
                int u = Between(planes.U, planes.ChromaStride, own, other, near, far),
                    v = Between(planes.V, planes.ChromaStride, own, other, near, far);
                var pixel = samples.AsSpan((y * width + x) * 3, 3);
                pixel[0] = Clip(High(luma, 19077) + High(v, 26149) - 14234);
                pixel[1] = Clip(High(luma, 19077) - High(u, 6419) - High(v, 13320) + 8708);
                pixel[2] = Clip(High(luma, 19077) + High(u, 33050) - 17685);
            }
        }

        return samples;
    }

    private static int Between(ReadOnlySpan<byte> plane, int stride, int own, int other, int near, int far)
    {
        int a = plane[near * stride + own], b = plane[near * stride + other], c = plane[far * stride + own],
            d = plane[far * stride + other];
        if (own == other || near == far)
        {
            // At the border two of the four are the same: libwebp rounds once.
            return own == other ? (3 * a + c + 2) >> 2 : (Diagonal(b, c) + a) >> 1;
        }

        return (Diagonal(b, c) + a) >> 1;

        // (a + 3 b + 3 c + d + 8) / 8, then its mean with a, rounded down both times.
        int Diagonal(int b, int c) => (a + b + c + d + 8 + 2 * (b + c)) >> 3;
    }

    private static int High(int value, int factor) => value * factor >> 8;

    private static byte Clip(int value) => (byte)Math.Clamp(value >> 6, 0, 255);
}
