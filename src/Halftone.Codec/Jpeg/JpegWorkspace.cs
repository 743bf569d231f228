namespace Halftone.Codec.Jpeg;

/// <summary>Buffers and tables that one thread uses for one image after another.</summary>
internal sealed class JpegWorkspace : IDisposable
{
    /// <summary>
    /// What each buffer may keep until the next image; the coefficients of 30 megapixels fit. Fresh pages cost more time than their
    /// clearing.
    /// </summary>
    private const int KeptBytes = 64 << 20;

    private readonly TokenChunks tokens = new();

    public JpegWorkspace() => (Baseline, Progressive) = (new BaselineScan(tokens), new ProgressiveScans(tokens));

    public ScanData Data { get; } = new();

    public DecoderLookups Lookups { get; } = new();

    public CoefficientPlane[] Planes { get; } = [new(), new(), new()];

    public Requantizer[] Requantizers { get; } = [new(), new(), new()];

    public ChromaMerge[] Merges { get; } = [new(), new(), new()];

    public BaselineScan Baseline { get; }

    public ProgressiveScans Progressive { get; }

    public JpegWriter Writer { get; } = new();

    public OutputBuffer Output { get; } = new();

    public void Trim()
    {
        Data.Trim(KeptBytes);
        Array.ForEach(Planes, plane => plane.Trim(KeptBytes));
        Baseline.Begin(0);
        Progressive.Begin(1);
        tokens.Trim(KeptBytes);
        Output.Trim(KeptBytes);
    }

    public void Dispose()
    {
        Data.Dispose();
        Array.ForEach(Planes, plane => plane.Dispose());
    }
}
