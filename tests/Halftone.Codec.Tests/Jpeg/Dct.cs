namespace Halftone.Codec.Tests.Jpeg;

/// <summary>The 8×8 DCT by its definition (ITU-T T.81, A.3.3); arrays are row × 8 + column.</summary>
internal static class Dct
{
    public static double[] Forward(double[] samples) => Transform(samples, (frequency, place) => Basis(frequency, place));

    public static double[] Inverse(double[] coefficients) => Transform(coefficients, (place, frequency) => Basis(frequency, place));

    private static double[] Transform(double[] input, Func<int, int, double> factor)
    {
        var half = new double[64];
        var output = new double[64];
        for (var i = 0; i < 64; i++)
        {
            for (var x = 0; x < 8; x++)
            {
                half[i] += input[i / 8 * 8 + x] * factor(i % 8, x);
            }
        }

        for (var i = 0; i < 64; i++)
        {
            for (var y = 0; y < 8; y++)
            {
                output[i] += half[y * 8 + i % 8] * factor(i / 8, y);
            }
        }

        return output;
    }

    private static double Basis(int frequency, int place) =>
        Math.Sqrt(frequency == 0 ? 0.125 : 0.25) * Math.Cos((2 * place + 1) * frequency * Math.PI / 16);
}
