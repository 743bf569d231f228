namespace Halftone.Bench;

/// <summary>Measures of two planes of bytes.</summary>
internal static class Samples
{
    /// <summary>Side and pitch of the windows of structural similarity, in samples.</summary>
    private const int Window = 8, Pitch = 4;

    /// <summary>Peak signal-to-noise ratio in dB, at most 99.</summary>
    public static double Psnr(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int stride, int width, int height)
    {
        long sum = 0;
        for (var y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> left = a.Slice(y * stride, width), right = b.Slice(y * stride, width);
            for (var x = 0; x < width; x++)
            {
                var difference = left[x] - right[x];
                sum += difference * difference;
            }
        }

        return Math.Min(99, 10 * Math.Log10(255.0 * 255 * width * height / Math.Max(sum, 1e-9)));
    }

    /// <summary>Structural similarity, the mean over windows of 8 × 8, 4 samples apart, every sample with equal weight.</summary>
    public static double Ssim(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int stride, int width, int height)
    {
        double total = 0;
        long windows = 0;
        for (var y = 0; y + Window <= height; y += Pitch)
        {
            for (var x = 0; x + Window <= width; x += Pitch)
            {
                total += Ssim(a[(y * stride + x)..], b[(y * stride + x)..], stride);
                windows++;
            }
        }

        return windows == 0 ? 1 : total / windows;
    }

    private static double Ssim(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int stride)
    {
        const double First = 0.01 * 255 * 0.01 * 255, Second = 0.03 * 255 * 0.03 * 255;
        const int Count = Window * Window;
        int sumA = 0, sumB = 0, squaresA = 0, squaresB = 0, products = 0;
        for (var y = 0; y < Window; y++)
        {
            for (var x = 0; x < Window; x++)
            {
                int p = a[y * stride + x], q = b[y * stride + x];
                sumA += p;
                sumB += q;
                squaresA += p * p;
                squaresB += q * q;
                products += p * q;
            }
        }

        double meanA = (double)sumA / Count, meanB = (double)sumB / Count;
        double varianceA = (double)squaresA / Count - meanA * meanA, varianceB = (double)squaresB / Count - meanB * meanB;
        var covariance = (double)products / Count - meanA * meanB;
        return (2 * meanA * meanB + First) * (2 * covariance + Second) / ((meanA * meanA + meanB * meanB + First) * (varianceA
            + varianceB + Second));
    }
}
