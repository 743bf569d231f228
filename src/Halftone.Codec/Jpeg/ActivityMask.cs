namespace Halftone.Codec.Jpeg;

/// <summary>
/// The eye sees less error where a block is busy, so an error counts less there: by (1 + E ÷ 60)^-0.4, where E is the variance of the
/// block's samples
/// around their mean. Not without end: a block of one strong edge is as busy by that measure as one of grain, and its error shows.
/// </summary>
internal static class ActivityMask
{
    /// <summary>Entries for every doubling, and how far a float's bits are shifted for that.</summary>
    private const int PerOctave = 32, Shift = 23 - 5;

    /// <summary>Doublings from 1 on; beyond them the weight is below every floor.</summary>
    private const int Octaves = 8;

    private const int One = 0x3F800000 >> Shift;

    /// <summary>Variance of the samples at which masking begins.</summary>
    private const double Quiet = 60;

    private const double Exponent = -0.4;

    private static readonly float[] Weights =
        [.. Enumerable.Range(0, PerOctave * Octaves).Select(i => (float)Math.Pow(Middle(i), Exponent))];

    /// <summary>The weight of squared error in a block, <paramref name="floor"/> to 1.</summary>
    /// <param name="energy">Sum of the squares of its dequantized AC coefficients.</param>
    public static float Weight(float energy, float floor)
    {
        // The upper bits of a float from 1 on are its logarithm in small steps.
        var index = (BitConverter.SingleToInt32Bits(1 + energy * (float)(1 / (64 * Quiet))) >> Shift) - One;
        return index < PerOctave * Octaves ? Math.Max(floor, Weights[index]) : floor;
    }

    private static double Middle(int index) => BitConverter.Int32BitsToSingle((index + One << Shift) + (1 << Shift - 1));
}
