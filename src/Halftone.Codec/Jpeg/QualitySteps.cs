namespace Halftone.Codec.Jpeg;

/// <summary>
/// The quantization steps that "quality" stands for in libjpeg and libvips: the tables of ITU-T T.81, annex K.1, scaled as IJG does.
/// </summary>
internal static class QualitySteps
{
    private static ReadOnlySpan<byte> Luma =>
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100,
        103, 99,
    ];

    private static ReadOnlySpan<byte> Chroma =>
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];

    /// <summary>All 64 steps in zigzag order.</summary>
    /// <param name="q">1 to 100.</param>
    public static byte[] Steps(int q, bool isChroma) => [.. Enumerable.Range(0, 64).Select(k => (byte)Step(k, q, isChroma))];

    /// <summary>The step of the k-th coefficient in zigzag order, 1 to 255.</summary>
    /// <param name="q">1 to 100.</param>
    public static int Step(int k, int q, bool isChroma)
    {
        var scale = q < 50 ? 5000 / q : 200 - q * 2;
        return Math.Clamp(((isChroma ? Chroma : Luma)[ZigZag.ToNatural[k]] * scale + 50) / 100, 1, 255);
    }
}
