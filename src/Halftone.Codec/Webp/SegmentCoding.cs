namespace Halftone.Codec.Webp;

/// <summary>How one segment is quantized, and what a bit is worth in it.</summary>
internal sealed class SegmentCoding
{
    /// <summary>
    /// Error × this = bits × step²: libwebp's order of size. 32, as theory has it for many bits, costs 1 to 2 % at equal PSNR.
    /// </summary>
    private const int LambdaDivisor = 64;

    /// <summary>What a bit is worth in a sum of absolute transformed differences, in steps.</summary>
    private const double BitsInDifferences = 0.2;

    // What of a step makes another level, of 256.
    private const int LumaDcRounding = 118, LumaAcRounding = 110, Y2DcRounding = 118, Y2AcRounding = 100, ChromaDcRounding = 122,
        ChromaAcRounding = 115;

    private long lambda;
    private double perBit;

    public Quantizer Luma { get; } = new();

    public Quantizer Y2 { get; } = new();

    public Quantizer Chroma { get; } = new();

    /// <summary>The sub-block modes' costs in units of differences, in the order of <see cref="ModeCosts.Sub"/>.</summary>
    public ushort[] SubCosts { get; } = new ushort[SubMode.Count * SubMode.Count * ModeCosts.SubStride];

    /// <summary>The same for the modes of a whole macroblock.</summary>
    public int[] LumaCosts { get; } = new int[BlockMode.Count];

    public void Prepare(EncoderPlan plan, int segment)
    {
        var index = plan.Index[segment];
        Luma.Prepare(Steps.Dc(index), Steps.Ac(index), LumaDcRounding, LumaAcRounding);
        Y2.Prepare(2 * Steps.Dc(index), Steps.Y2AcOf(index), Y2DcRounding, Y2AcRounding);
        Chroma.Prepare(Steps.ChromaDcOf(index + plan.ChromaDcDelta), Steps.Ac(index + plan.ChromaAcDelta), ChromaDcRounding,
            ChromaAcRounding);
        // Coefficients are twice the orthonormal ones: their squared errors are four times those of samples.
        lambda = (long)Math.Round(4.0 * Steps.Ac(index) * Steps.Ac(index) / LambdaDivisor);
        perBit = BitsInDifferences * Steps.Ac(index);
        for (var i = 0; i < SubCosts.Length; i++)
        {
            SubCosts[i] = (ushort)Math.Min(20_000, ModeCosts.Sub[i] * perBit / 256);
        }

        for (var mode = 0; mode < BlockMode.Count; mode++)
        {
            LumaCosts[mode] = (int)(ModeCosts.Luma[mode] * perBit / 256);
        }
    }

    /// <summary>Bits in 1/256 as squared error of coefficients.</summary>
    public long Worth(int cost) => cost * lambda >> 8;
}
