namespace Halftone.Codec.Colour;

/// <summary>Primaries and transfer functions by their numbers in ITU-T H.273.</summary>
internal static class NumberedColours
{
    public const double SrgbGamma = 0; // stands for sRGB's own curve

    private static readonly double[] D65 = [0.3127, 0.3290];

    /// <summary>x and y of white, red, green and blue; sRGB's where the number says nothing, or nothing that is used.</summary>
    public static double[] Primaries(int number) => number switch
    {
        4 => [0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08],
        5 => [.. D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06],
        6 or 7 => [.. D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070],
        8 => [0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049],
        9 => [.. D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046],
        11 => [0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060],
        12 => [.. D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060],
        22 => [.. D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077],
        _ => [.. D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06],
    };

    /// <summary>
    /// Exponent of the curve; <see cref="SrgbGamma"/> for sRGB's, which also stands for those of television (1, 6, 14, 15): what carries
    /// these
    /// numbers was made on and for such screens, and viewers show it so.
    /// </summary>
    public static double Gamma(int transfer) => transfer switch
    {
        4 => 2.2,
        5 => 2.8,
        8 => 1,
        17 => 2.6,
        _ => SrgbGamma,
    };
}
