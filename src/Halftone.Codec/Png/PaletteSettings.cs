namespace Halftone.Codec.Png;

/// <summary>
/// How an image is reduced to a palette. The values other than the target were found by measuring bytes, PSNR and butteraugli at quality 50
/// on product pictures; the target error is what quality changes.
/// </summary>
internal sealed record PaletteSettings
{
    /// <summary>
    /// Mean squared error, in the coordinates of <see cref="PackedColour"/> divided by three, at which the palette
    /// stops growing.
    /// </summary>
    public required double TargetMse { get; init; }

    /// <summary>Most colours, 2 to 256 (PNG, 11.2.2).</summary>
    public int MaxColours { get; init; } = 256;

    /// <summary>Rounds of k-means after the splits: the third still gains 1 %, the fourth nothing that can be measured.</summary>
    public int KMeansRounds { get; init; } = 3;

    /// <summary>Share of the error that is diffused where the image is flat, 0 to 1; 0 turns dithering off.</summary>
    public float Dither { get; init; } = 0.5f;

    /// <summary>Strength falls with (equal neighbours / 4) to this power: no band can show in a busy place.</summary>
    public float DitherDamping { get; init; } = 2;

    /// <summary>A pixel with no more equal neighbours than this, of four, keeps its plain colour and passes no error on.</summary>
    public int DitherBusyCut { get; init; } = 2;

    /// <summary>Diffused errors below this many 8-bit steps are dropped: nobody sees them, and they cost bytes.</summary>
    public float DitherThreshold { get; init; } = 2;

    /// <summary>Errors passed on are clamped to this many 8-bit steps, or an edge throws sparks into the flat side.</summary>
    public float DitherLimit { get; init; } = 14;

    /// <summary>The index of the left or upper pixel is kept when it is at most this much worse, as squared distance.</summary>
    public float Slack { get; init; } = 20;

    /// <summary>Counts of the histogram are raised to this power, so that rare colours are heard.</summary>
    public float WeightPower { get; init; } = 0.7f;

    /// <summary>Largest share of the whole weight of one histogram cell: a flat background must not dilute the mean error.</summary>
    public float WeightCap { get; init; } = 0.1f;

    /// <summary>Share of the source's bytes up to which a lossless palette file is kept.</summary>
    public double LosslessShare { get; init; } = 0.7;

    /// <summary>With no more colours than this a lossless palette is always kept: there is nothing to gain from fewer.</summary>
    public int LosslessColours { get; init; } = 16;

    /// <summary>zlib's level, 1 to 9: 8 takes twice the time of 6 for 1 to 2 % fewer bytes.</summary>
    public int DeflateLevel { get; init; } = 6;

    /// <summary>zlib's level for drawings, where the time is short anyway and 8 % fewer bytes are to be had.</summary>
    public int DeflateLevelOfDrawings { get; init; } = 9;

    /// <summary>An image is called a drawing when its runs of equal pixels are at least this long on average.</summary>
    public int DrawingRunPixels { get; init; } = 8;

    /// <summary>
    /// Settings for a quality of 1 to 100. The target is 19 at 50, and four times that at 25, a quarter at 75: libjpeg's quality halves
    /// and doubles its quantizer steps at these points, and an error goes with the square of the step.
    /// </summary>
    public static PaletteSettings ForQuality(int q)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(q, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(q, 100);
        double steps = Math.Pow(2, (50 - q) / 25.0);
        return new PaletteSettings
        {
            TargetMse = 19 * steps * steps,
            DitherLimit = (float)(14 * steps),
            Slack = (float)(20 * steps * steps),
        };
    }
}
