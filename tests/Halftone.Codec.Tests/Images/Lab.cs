namespace Halftone.Codec.Tests.Images;

/// <summary>CIE L*a*b* of sRGB colours, and how far two are apart.</summary>
internal static class Lab
{
    /// <summary>The distance of CIE 1976: 1 is barely seen, 3 is seen side by side.</summary>
    public static double Distance(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var (l1, a1, b1) = Of(one);
        var (l2, a2, b2) = Of(other);
        return Math.Sqrt((l1 - l2) * (l1 - l2) + (a1 - a2) * (a1 - a2) + (b1 - b2) * (b1 - b2));
    }

    private static (double L, double A, double B) Of(ReadOnlySpan<byte> rgb)
    {
        double red = Linear(rgb[0]), green = Linear(rgb[1]), blue = Linear(rgb[2]);
        var x = Root((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047);
        var y = Root(0.2126729 * red + 0.7151522 * green + 0.0721750 * blue);
        var z = Root((0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883);
        return (116 * y - 16, 500 * (x - y), 200 * (y - z));
    }

    private static double Linear(byte sample)
    {
        var value = sample / 255.0;
        return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
    }

    private static double Root(double t) => t > 216.0 / 24389 ? Math.Cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}
