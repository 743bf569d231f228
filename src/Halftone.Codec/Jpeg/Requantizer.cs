namespace Halftone.Codec.Jpeg;

/// <summary>
/// From the source's quantization steps to the wanted quality's, for one component. A step never gets finer: the information
/// is not there. Magnitudes are multiplied by source step ÷ output step in 16-bit fixed point.
/// </summary>
internal sealed class Requantizer
{
    public const int Shift = 16;

    /// <summary>One half, for the DC coefficient.</summary>
    public const int DcBias = 1 << (Shift - 1);

    /// <summary>
    /// 0.49: an exact half goes to zero. Sources of quality 75 have exactly half of quality 50's steps, so halves are common;
    /// rounding them up cost 27 % more bytes there and bought nothing.
    /// </summary>
    public const int AcBias = 49 * (1 << Shift) / 100;

    /// <summary>
    /// A mean of 254.5 (level-shifted, times 8) decodes to white, anything below 0.5 to black. Wherever the source is white, the
    /// output has to be: shops show products on it, and 254 beside 255 is an edge. Rounding to the nearest step would make it
    /// 254 at quality 50, whose steps do not meet 255.
    /// </summary>
    private const int WhiteFrom = 1012, BlackFrom = 1021;

    /// <summary>
    /// Exponent of the weight of an error by its step: an error in a coarse step matters a little more than its square says.
    /// </summary>
    private const double WeightExponent = 0.142;

    private readonly int[] multipliers = new int[64];
    private readonly float[] sourceSteps = new float[64], ratios = new float[64], steps = new float[64], weights = new float[64];

    /// <summary>Source step ÷ output step in zigzag order, times 1 &lt;&lt; <see cref="Shift"/>; 1 at most.</summary>
    public ReadOnlySpan<int> Multipliers => multipliers;

    /// <summary>Source step ÷ output step in zigzag order; 1 at most.</summary>
    public ReadOnlySpan<float> Ratios => ratios;

    /// <summary>Output steps in zigzag order.</summary>
    public ReadOnlySpan<float> Steps => steps;

    /// <summary>Bits that a squared error of one output step is worth, in zigzag order.</summary>
    public ReadOnlySpan<float> Weights => weights;

    /// <summary>Leaves every coefficient as it is.</summary>
    public static Requantizer Unchanged { get; } = MakeUnchanged();

    /// <summary>
    /// A DC of this and above is white, and has to become <see cref="WhiteOutput"/> at least; beyond all values for chroma.
    /// </summary>
    public int WhiteSource { get; private set; } = int.MaxValue;

    public int WhiteOutput { get; private set; } = int.MaxValue;

    /// <summary>
    /// A DC of this and below is black, and has to become <see cref="BlackOutput"/> at most; beyond all values for chroma.
    /// </summary>
    public int BlackSource { get; private set; } = int.MinValue;

    public int BlackOutput { get; private set; } = int.MinValue;

    /// <summary>Steps to write, in zigzag order.</summary>
    public byte[] OutputSteps { get; } = new byte[64];

    /// <summary>Smallest magnitude of an AC coefficient that does not round to zero at every index.</summary>
    public int LeastKept { get; private set; }

    /// <summary>AC coefficients of at most this many output steps are dropped without a choice.</summary>
    public float Least { get; private set; }

    /// <summary>No step changes, so no coefficient does.</summary>
    public bool IsIdentity { get; private set; }

    /// <summary>Prepares for a component; false where a source step is above 255, which baseline cannot hold.</summary>
    /// <param name="sourceSteps">In zigzag order.</param>
    /// <param name="wantedSteps">In zigzag order.</param>
    /// <param name="leastCoarsening">A step that would become coarser by less than this factor stays, 1 and up.</param>
    public bool Prepare(ReadOnlySpan<ushort> sourceSteps, ReadOnlySpan<byte> wantedSteps, bool isChroma, double leastCoarsening = 1)
    {
        IsIdentity = true;
        var largest = 1;
        for (var k = 0; k < 64; k++)
        {
            int from = sourceSteps[k];
            if (from > 255)
            {
                return false;
            }

            var to = wantedSteps[k] < from * leastCoarsening ? from : wantedSteps[k];
            this.sourceSteps[k] = from;
            IsIdentity &= to == from;
            OutputSteps[k] = (byte)to;
            multipliers[k] = ((from << Shift) + to / 2) / to;
            largest = k > 0 ? Math.Max(largest, multipliers[k]) : largest;
        }

        WhiteSource = isChroma ? int.MaxValue : Ceiling(WhiteFrom, sourceSteps[0]);
        WhiteOutput = Ceiling(WhiteFrom, OutputSteps[0]);
        BlackSource = isChroma ? int.MinValue : -Ceiling(BlackFrom, sourceSteps[0]);
        BlackOutput = -Ceiling(BlackFrom, OutputSteps[0]);
        LeastKept = ((1 << Shift) - AcBias + largest - 1) / largest;
        return true;
    }

    /// <summary>After <see cref="Prepare"/>: for levels that are chosen by rate and distortion.</summary>
    /// <param name="wantedSteps">In zigzag order. Where the source's is coarser, an error of one step is the larger error.</param>
    /// <param name="weight">Bits that a squared error of one wanted step is worth.</param>
    /// <param name="least">AC coefficients up to this many output steps are dropped without a choice.</param>
    public void PrepareChoice(ReadOnlySpan<byte> wantedSteps, float weight, float least)
    {
        var largest = 0f;
        for (var k = 0; k < 64; k++)
        {
            steps[k] = OutputSteps[k];
            ratios[k] = sourceSteps[k] / steps[k];
            var coarser = steps[k] / wantedSteps[k];
            weights[k] = weight * (float)Math.Pow((double)wantedSteps[k] / wantedSteps[1], WeightExponent) * coarser * coarser;
            largest = k > 0 ? Math.Max(largest, ratios[k]) : largest;
        }

        Least = least;
        LeastKept = (int)(least / largest) + 1;
    }

    /// <summary>The level of a DC coefficient: the nearest, but white stays white and black stays black.</summary>
    public int Dc(int value)
    {
        var sign = value >> 31;
        var dc = (int)(((uint)((value ^ sign) - sign) * (uint)multipliers[0] + DcBias) >> Shift);
        dc = (dc ^ sign) - sign;
        return value >= WhiteSource ? Math.Max(dc, WhiteOutput) : value <= BlackSource ? Math.Min(dc, BlackOutput) : dc;
    }

    private static int Ceiling(int value, int step) => (value + step - 1) / step;

    private static Requantizer MakeUnchanged()
    {
        var unchanged = new Requantizer();
        Array.Fill(unchanged.multipliers, 1 << Shift);
        return unchanged;
    }
}
