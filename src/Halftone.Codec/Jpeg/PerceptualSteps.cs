namespace Halftone.Codec.Jpeg;

/// <summary>
/// The quantization steps of the optimised styles. They are finer than those of annex K where the eye sees errors first (DC, chroma, high frequencies
/// beside edges), and coarser in between: levels that cost more than they show are dropped block by block, which finer steps make cheap.
/// The tables are geometric means of annex K and two tables that were fitted to viewers (mozjpeg's by N. Robidoux, jpegli's at distance 3), then
/// searched for the fewest bytes at equal butteraugli and SSIMULACRA 2 (bench/results/jpeg.md).
/// </summary>
internal static class PerceptualSteps
{
    private static ReadOnlySpan<byte> Luma =>
    [
        10, 11, 17, 20, 28, 34, 40, 45, 12, 15, 18, 22, 29, 37, 44, 44, 18, 18, 21, 27, 34, 43, 45, 46, 18, 21, 26, 32, 43, 55, 54, 51,
        26, 28, 34, 44, 50, 62, 67, 62, 29, 32, 43, 49, 56, 67, 66, 71, 40, 45, 48, 56, 67, 67, 72, 68, 48, 52, 55, 59, 70, 73, 68, 61,
    ];

    private static ReadOnlySpan<byte> Chroma =>
    [
        9, 21, 16, 18, 26, 28, 34, 38, 21, 24, 17, 22, 29, 28, 32, 36, 16, 17, 22, 27, 30, 34, 39, 45, 18, 22, 27, 28, 34, 36, 41, 48,
        26, 29, 30, 34, 32, 41, 43, 52, 28, 28, 34, 36, 41, 44, 49, 63, 34, 32, 39, 41, 43, 49, 63, 67, 38, 36, 45, 48, 52, 63, 67, 141,
    ];

    /// <summary>All 64 steps in zigzag order, 1 to 255.</summary>
    /// <param name="q">1 to 100.</param>
    /// <param name="isFine">Chroma has more samples than 4:2:0, and errors of each show less.</param>
    public static byte[] Steps(int q, bool isChroma, bool isFine)
    {
        var scale = (q < 50 ? 5000.0 / q : 200 - q * 2) / 100 * (isChroma ? Tuning.ScaleC * (isFine ? Tuning.FineScale : 1) : Tuning.ScaleY);
        var table = isChroma ? Chroma : Luma;
        var steps = new byte[64];
        for (var k = 0; k < 64; k++)
        {
            int n = ZigZag.ToNatural[k]; double r = Math.Sqrt((n & 7) * (n & 7) + (n >> 3) * (n >> 3));
            var g = isChroma ? (r == 0 ? Tuning.C0 : r < 3.7 ? Tuning.C1 : Tuning.C2)
                : r == 0 ? Tuning.G0 : r < 1.2 ? Tuning.G1 : r < 2.3 ? Tuning.G2 : r < 3.7 ? Tuning.G3 : r < 5.5 ? Tuning.G4 : Tuning.G5;
            var v = table[n] * scale * g;
            steps[k] = (byte)Math.Clamp((int)Math.Round(v), 1, 255);
        }
        return steps;
    }
}
