using System.Numerics;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Looks for colour edges that chroma of half the resolution would blur: red letters on white, thin coloured lines. Where there are enough
/// of them, the
/// output keeps the source's sampling.
/// </summary>
internal static class FineChroma
{
    /// <summary>Mean squared error of a block's samples that shows: 10 levels.</summary>
    private const float VisibleLoss = 100;

    /// <summary>
    /// Share of such blocks from which on the picture keeps its chroma. Lettering and drawings have 2 to 58 %, of 60 photographs of goods
    /// one has more
    /// than 0.2 %.
    /// </summary>
    private const double LeastShare = 0.01;

    /// <summary>True if halving the chroma would lose what the eye would miss.</summary>
    /// <param name="planes">Of the whole image, luma first.</param>
    /// <param name="layout">The one that would merge.</param>
    public static bool IsNeeded(CoefficientPlane[] planes, JpegFrame frame, OutputLayout layout)
    {
        long blurred = 0, all = 0;
        for (var c = 1; c < 3; c++)
        {
            var component = frame.Components[c];
            var weights = Weights(component.Steps, layout);
            for (var y = 0; y < component.BlocksHigh; y++)
            {
                for (var x = 0; x < component.BlocksWide; x++)
                {
                    var at = (long)y * planes[c].BlocksWide + x;
                    blurred += LostEnergy(planes[c].Block(at), planes[c].Marks(at), weights) > VisibleLoss * 64 ? 1 : 0;
                }
            }

            all += (long)component.BlocksWide * component.BlocksHigh;
        }

        return blurred > all * LeastShare;
    }

    /// <summary>By index in zigzag order, the energy that a squared level of one loses.</summary>
    private static float[] Weights(ReadOnlySpan<ushort> steps, OutputLayout layout)
    {
        var weights = new float[64];
        for (var k = 1; k < 64; k++)
        {
            var kept = Kept(ZigZag.ToNatural[k] & 7, layout.MergeH) * Kept(ZigZag.ToNatural[k] >> 3, layout.MergeV);
            weights[k] = (float)((1 - kept) * steps[k] * steps[k]);
        }

        return weights;
    }

    /// <summary>Averaging two neighbours scales a wave of this frequency by cos(πf ÷ 16), and shows it with that amplitude.</summary>
    private static double Kept(int frequency, int merged) => merged == 1 ? 1 : Math.Pow(Math.Cos(frequency * Math.PI / 16), 2);

    private static float LostEnergy(ReadOnlySpan<short> coefficients, ulong marks, ReadOnlySpan<float> weights)
    {
        var lost = 0f;
        for (marks &= ~1ul; marks != 0; marks &= marks - 1)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            lost += coefficients[k] * coefficients[k] * weights[k];
        }

        return lost;
    }
}
