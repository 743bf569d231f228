namespace Halftone.Codec.Webp;

/// <summary>
/// Quantizers and filter levels of a frame. Quality becomes a quantizer index as libwebp does it, so that a quality means the same;
/// segments get finer
/// or coarser steps around it, by how much their texture hides.
/// </summary>
internal sealed class EncoderPlan
{
    /// <summary>
    /// Spread of segments around the quality: 0.9 at libwebp's default strength of spatial noise shaping, half of 100 over 128.
    /// </summary>
    private const double Amplitude = 0.9 * 0.5 / 128;

    /// <summary>
    /// Strength of the loop filter; libwebp's default is 60. At 80 a file has 1.3 % fewer bytes at equal PSNR, at 100 it looks blurred.
    /// </summary>
    private const int FilterStrength = 80;

    /// <summary>Finer chroma than the source's, which the eye would miss before the PSNR of luma does.</summary>
    private const int ChromaAcMore = -3;

    private const int ChromaDcDefault = -2;

    private double compression;

    public bool HasSegments { get; private set; }

    /// <summary>Quantizer index of each segment, 0 to 127.</summary>
    public PerSegment<int> Index;

    /// <summary>Loop filter level of each segment, 0 to 63.</summary>
    public PerSegment<int> FilterLevel;

    /// <summary>Index of the frame, which counts where there are no segments.</summary>
    public int CommonIndex { get; private set; }

    public int ChromaDcDelta { get; private set; }

    public int ChromaAcDelta { get; private set; }

    /// <summary>Plans a frame without segments.</summary>
    /// <param name="quality">1 to 100; halves and so on count too.</param>
    public void Flat(double quality)
    {
        var part = quality / 100;
        compression = Math.Cbrt(part < 0.75 ? part * 2 / 3 : 2 * part - 1);
        CommonIndex = IndexOf(1);
        HasSegments = false;
        (ChromaDcDelta, ChromaAcDelta) = (ChromaDcDefault, 0);
        for (var s = 0; s < 4; s++)
        {
            (Index[s], FilterLevel[s]) = (CommonIndex, LevelOf(CommonIndex, 0));
        }
    }

    /// <summary>
    /// Plans a frame with the segments of the one that it is made from: its encoder looked at the pixels before they were compressed. The
    /// segments'
    /// exponents, by which that encoder spread them around its quality, are found from its quantizers, and spread the new quality.
    /// </summary>
    /// <returns>False where the source has no segments that tell anything; the plan is flat then.</returns>
    public bool AsSource(double quality, Vp8Header source, ReadOnlySpan<MacroblockModes> modes)
    {
        Flat(quality);
        if (!source.HasSegmentMap)
        {
            return false;
        }

        Span<int> counts = stackalloc int[4];
        counts.Clear();
        foreach (ref readonly var mode in modes)
        {
            counts[mode.Segment]++;
        }

        Span<double> logs = stackalloc double[4];
        double mean = 0, least = 0;
        for (var s = 0; s < 4; s++)
        {
            logs[s] = Math.Log(1 - (Math.Clamp(source.Index[s], 0, Vp8Tables.MaxIndex) + 0.5) / 128);
            mean += logs[s] * counts[s] / modes.Length;
            least = counts[s] > 0 ? Math.Min(least, logs[s]) : least;
        }

        if (mean > -0.001 || !(mean < 0))
        {
            return false;
        }

        HasSegments = true;
        ChromaAcDelta = Math.Clamp(source.ChromaAcDelta + ChromaAcMore, -15, 15);
        ChromaDcDelta = Math.Clamp(source.ChromaDcDelta, -4, 0);
        for (var s = 0; s < 4; s++)
        {
            Set(s, Math.Clamp(logs[s] / mean, 0.4, 1.6), (least / mean - logs[s] / mean) / Amplitude);
        }

        return true;
    }

    /// <summary>Plans a frame by its own segments.</summary>
    /// <param name="quality">1 to 100.</param>
    /// <param name="centres">The segments' mean activity, ascending.</param>
    /// <param name="mean">That of all macroblocks.</param>
    public void BySegments(double quality, ReadOnlySpan<double> centres, double mean)
    {
        Flat(quality);
        HasSegments = true;
        var range = Math.Max(1, centres[3] - centres[0]);
        for (var s = 0; s < 4; s++)
        {
            var calm = Math.Clamp(255 * (mean - centres[s]) / range, -127, 127);
            Set(s, 1 - Amplitude * calm, 255 * (centres[3] - centres[s]) / range);
        }
    }

    /// <param name="segment">Which.</param>
    /// <param name="exponent">Below 1 for finer steps.</param>
    /// <param name="calm">0 to 255: the calmer, the weaker the filter.</param>
    private void Set(int segment, double exponent, double calm)
    {
        Index[segment] = IndexOf(exponent);
        FilterLevel[segment] = LevelOf(Index[segment], Math.Clamp(calm, 0, 255));
    }

    private int IndexOf(double exponent) => Math.Clamp((int)(127 * (1 - Math.Pow(compression, exponent))), 0, Vp8Tables.MaxIndex);

    private static int LevelOf(int index, double calm)
    {
        var level = (int)(Math.Min(Steps.Ac(index) >> 2, 63) * 5 * FilterStrength / (256 + calm));
        return level < 2 ? 0 : Math.Min(level, 63);
    }
}
