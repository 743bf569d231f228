namespace Halftone.Codec.Jpeg;

/// <summary>What becomes of one image: its steps, its sampling, and whether anything is lost.</summary>
/// <param name="workspace">Its requantizers and merges are prepared.</param>
/// <param name="q">Quality of the output.</param>
/// <param name="style">Of the output.</param>
internal sealed class OutputPlan(JpegWorkspace workspace, JpegFrame frame, int q, JpegStyle style)
{
    /// <summary>
    /// Sources from this length on become progressive: about 5 KB of output at quality 50. Below, the tables of seven scans cost more than
    /// they save.
    /// </summary>
    private const int ProgressiveFromBytes = 16 << 10;

    /// <summary>What a second generation has to save: for less, the source's pixels are worth more.</summary>
    private const int LeastSavingPercent = 5;

    /// <summary>A step that would become coarser by less than this factor stays: rounding twice would cost more than it saves.</summary>
    private const double LeastCoarsening = 1.25;

    public OutputLayout Layout { get; private set; } = new(1, 1, 1, 1);

    /// <summary>No step changes: every coefficient stays as it is.</summary>
    public bool IsLossless { get; private set; }

    /// <summary>
    /// The sampling depends on the chroma's coefficients: it is as fine as luma's, and halving it may show. All of them have to be there
    /// before the
    /// decision, which doubles the time; cameras write 4:2:2, drawings are 4:4:4.
    /// </summary>
    public bool DependsOnChroma => style != JpegStyle.Classic && OutputLayout.Of(frame, mergeFinerChroma: true) is { MergeH: 2, MergeV: 2 };

    /// <summary>
    /// Decides; null when all is well. The components' steps must be known, and all coefficients where the plan depends on them.
    /// </summary>
    public JpegTranscodeResult.NotTaken? Decide(bool hasAllCoefficients)
    {
        // The tables of annex K say what a quality means: a source that is as coarse is at the quality already.
        if (PrepareSteps(isChroma => QualitySteps.Steps(q, isChroma)) is { } unfit)
        {
            return unfit;
        }

        var isOptimised = style != JpegStyle.Classic && !IsLossless;
        if (isOptimised)
        {
            PrepareSteps(isChroma => PerceptualSteps.Steps(q, isChroma, isFine: false));
        }

        if (OutputLayout.Of(frame, mergeFinerChroma: !IsLossless) is not { } layout)
        {
            return new JpegTranscodeResult.NotTaken(JpegNotTaken.OddSampling);
        }

        var keepsFineChroma = isOptimised && hasAllCoefficients && DependsOnChroma && FineChroma.IsNeeded(workspace.Planes, frame, layout);
        Layout = keepsFineChroma ? OutputLayout.Of(frame, mergeFinerChroma: false)! : layout;
        if (isOptimised && !IsLossless)
        {
            PrepareChoice(keepsFineChroma);
        }

        for (var c = 1; Layout.Merges && c < frame.Components.Length; c++)
        {
            workspace.Merges[c].Prepare(frame.Components[c].Steps, workspace.Requantizers[c].OutputSteps, Layout);
        }

        return null;
    }

    /// <summary>Begins the output that was decided on.</summary>
    public (IOutputScans Scans, IPlaneEncoder Encoder) Begin(int sourceBytes)
    {
        // A copy is about as long as its source, and of a progressive one no other form is shorter.
        var isLong = sourceBytes >= (IsLossless ? ProgressiveFromBytes / 3 : ProgressiveFromBytes) || (IsLossless && frame.IsProgressive);
        if (style == JpegStyle.Optimised && isLong)
        {
            return (workspace.Progressive, Optimised(workspace.Progressive));
        }

        var encoder = style == JpegStyle.Classic || IsLossless
            ? new PlaneEncoder(workspace.Baseline, frame, Layout, workspace.Requantizers, workspace.Merges) : Optimised(workspace.Baseline);
        return (workspace.Baseline, encoder);

        IPlaneEncoder Optimised(IOutputScans scans) =>
            new OptimisedEncoder(scans, frame, Layout, workspace.Requantizers, workspace.Merges, IsLossless);
    }

    /// <summary>Bytes that the output must stay below, or a copy of the source is better.</summary>
    public long MostBytes(int copyBytes) =>
        style == JpegStyle.Classic || IsLossless ? copyBytes : copyBytes * (100L - LeastSavingPercent) / 100;

    /// <param name="wanted">Steps of luma and of chroma.</param>
    private JpegTranscodeResult.NotTaken? PrepareSteps(Func<bool, byte[]> wanted)
    {
        IsLossless = true;
        for (var c = 0; c < frame.Components.Length; c++)
        {
            if (!workspace.Requantizers[c].Prepare(frame.Components[c].Steps, wanted(c > 0), isChroma: c > 0))
            {
                return new JpegTranscodeResult.NotTaken(JpegNotTaken.WideSteps);
            }

            IsLossless &= workspace.Requantizers[c].IsIdentity;
        }

        return null;
    }

    private void PrepareChoice(bool isFine)
    {
        for (var c = 0; c < frame.Components.Length; c++)
        {
            var wanted = PerceptualSteps.Steps(q, isChroma: c > 0, isFine);
            workspace.Requantizers[c].Prepare(frame.Components[c].Steps, wanted, isChroma: c > 0, LeastCoarsening);
            OptimisedEncoder.Prepare(workspace.Requantizers[c], wanted, isChroma: c > 0);
        }
    }
}
