namespace Halftone.Codec.Jpeg;

/// <summary>Buffers and tables that one thread uses for one image after another.</summary>
internal sealed class JpegWorkspace : IDisposable
{
    /// <summary>What each buffer may keep until the next image; the coefficients of 30 megapixels fit. Fresh pages cost more time than their clearing.</summary>
    private const int KeptBytes = 64 << 20;

    public ScanData Data { get; } = new();

    public DecoderLookups Lookups { get; } = new();

    public CoefficientPlane[] Planes { get; } = [new(), new(), new()];

    public Requantizer[] Requantizers { get; } = [new(), new(), new()];

    public ChromaMerge[] Merges { get; } = [new(), new(), new()];

    public TokenList Tokens { get; } = new();

    public EntropyEncoder Encoder { get; } = new();

    public JpegWriter Writer { get; } = new();

    public byte[] Output { get; set; } = new byte[1 << 16];

    public void Trim()
    {
        Data.Trim(KeptBytes);
        Array.ForEach(Planes, plane => plane.Trim(KeptBytes));
        Tokens.Trim(KeptBytes);
        Output = Output.Length > KeptBytes ? new byte[1 << 16] : Output;
    }

    public void Dispose()
    {
        Data.Dispose();
        Array.ForEach(Planes, plane => plane.Dispose());
    }
}
