namespace Halftone.Codec.Jpeg;

/// <summary>
/// The quantization steps of the optimised styles. They are finer than those of annex K where the eye sees errors first (DC, chroma, high
/// frequencies
/// beside edges), and coarser in between: levels that cost more than they show are dropped block by block, which finer steps make cheap.
/// The tables are geometric means of annex K and two tables that were fitted to viewers (mozjpeg's by N. Robidoux, jpegli's at distance
/// 3), then
/// searched for the fewest bytes at equal butteraugli and SSIMULACRA 2 (bench/results/jpeg.md).
/// </summary>
internal static class PerceptualSteps
{
    /// <summary>Coarser steps for chroma that was not halved: it has two to four times as many samples.</summary>
    private const double FineScale = 1.5;

    private static ReadOnlySpan<byte> Luma =>
    [
        8, 12, 14, 17, 28, 33, 33, 37, 13, 12, 15, 18, 29, 36, 36, 36, 15, 15, 17, 22, 33, 42, 37, 38, 15, 17, 22, 32, 42, 46, 45, 42,
        26, 28, 33, 43, 41, 51, 55, 51, 29, 32, 42, 41, 46, 55, 55, 59, 33, 37, 40, 46, 55, 55, 60, 56, 40, 43, 46, 49, 58, 60, 56, 50,
    ];

    private static ReadOnlySpan<byte> Chroma =>
    [
        8, 19, 14, 16, 27, 29, 36, 40, 19, 22, 15, 20, 30, 29, 34, 38, 14, 15, 20, 24, 32, 36, 41, 47, 16, 20, 24, 29, 36, 38, 43, 50,
        27, 30, 32, 36, 34, 43, 45, 55, 29, 29, 36, 38, 43, 46, 51, 66, 36, 34, 41, 43, 45, 51, 66, 70, 40, 38, 47, 50, 55, 66, 70, 148,
    ];

    /// <summary>All 64 steps in zigzag order, 1 to 255.</summary>
    /// <param name="q">1 to 100.</param>
    /// <param name="isFine">Chroma has more samples than 4:2:0, and errors of each show less.</param>
    public static byte[] Steps(int q, bool isChroma, bool isFine)
    {
        var scale = (q < 50 ? 5000.0 / q : 200 - q * 2) / 100 * (isChroma && isFine ? FineScale : 1);
        var table = isChroma ? Chroma : Luma;
        var steps = new byte[64];
        for (var k = 0; k < 64; k++)
        {
            steps[k] = (byte)Math.Clamp((int)Math.Round(table[ZigZag.ToNatural[k]] * scale), 1, 255);
        }

        return steps;
    }
}
