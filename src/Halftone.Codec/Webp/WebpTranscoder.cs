namespace Halftone.Codec.Webp;

/// <summary>What became of one file.</summary>
internal abstract record WebpTranscodeResult
{
    private WebpTranscodeResult() { }

    /// <summary>A whole WebP file of the wanted quality.</summary>
    public sealed record Done(ReadOnlyMemory<byte> Body, int WidthPixels, int HeightPixels) : WebpTranscodeResult;

    /// <summary>One for libvips, whose word on it counts.</summary>
    public sealed record NotTaken(WebpNotTaken Reason) : WebpTranscodeResult;
}

/// <summary>
/// Lossy WebP to lossy WebP without RGB: the source is decoded to its planes, and these are encoded. Takes a fifth of the processor time
/// of decoding
/// and encoding by libwebp; a copy of alpha, and of a small colour profile, goes with it.
/// </summary>
internal static class WebpTranscoder
{
    /// <summary>What each buffer may keep until the next picture. Fresh pages cost more time than their clearing.</summary>
    private const int KeptBytes = 32 << 20;

    [ThreadStatic]
    private static WebpWorkspace? workspace;

    /// <summary>Transcodes one file. Any bytes may be given.</summary>
    /// <param name="source">The whole file.</param>
    /// <param name="q">Quality as libwebp counts it, 1 to 100.</param>
    /// <param name="maxPixels">Limit on width × height, checked before anything is decoded.</param>
    /// <param name="box">An image that it does not hold is not taken.</param>
    public static WebpTranscodeResult Transcode(ReadOnlySpan<byte> source, int q, long maxPixels, SizeBox box = default)
    {
        if (WebpFile.Read(source, out var file) is { } reason)
        {
            return new WebpTranscodeResult.NotTaken(reason);
        }

        workspace ??= new WebpWorkspace();
        try
        {
            return Transcode(file, q, maxPixels, box);
        }
        finally
        {
            workspace.Trim(KeptBytes);
        }
    }

    private static WebpTranscodeResult Transcode(in WebpFile file, int q, long maxPixels, SizeBox box)
    {
        var decoder = workspace!.Decoder;
        var header = decoder.Header;
        var reason = WebpProfile.Judge(file.Profile, out var profile) ?? JudgeSize(file, header, maxPixels, box)
            ?? (!file.Alpha.IsEmpty && !AlphaCheck.IsWhole(file.Alpha, header.WidthPixels, header.HeightPixels) ? WebpNotTaken.BrokenAlpha
            : decoder.Decode(file.Frame, workspace.Planes) ? null : WebpNotTaken.BrokenFrame);
        if (reason is { } why)
        {
            return new WebpTranscodeResult.NotTaken(why);
        }

        var plan = workspace.Plan;
        if (!plan.AsSource(q, header, decoder.Modes))
        {
            workspace.Segmenter.Plan(workspace.Planes, decoder.Modes, q, plan);
        }

        var frame = workspace.Encoder.Encode(workspace.Planes, header.WidthPixels, header.HeightPixels, plan, decoder.Modes);
        return frame is null ? new WebpTranscodeResult.NotTaken(WebpNotTaken.ModesTooLong) : new WebpTranscodeResult.Done(
            WebpFile.Write(frame, file.Alpha, profile, header.WidthPixels, header.HeightPixels), header.WidthPixels, header.HeightPixels);
    }

    private static WebpNotTaken? JudgeSize(in WebpFile file, Vp8Header header, long maxPixels, SizeBox box) =>
        !header.ReadSize(file.Frame) ? WebpNotTaken.BrokenFrame
        : (long)header.WidthPixels * header.HeightPixels > maxPixels ? WebpNotTaken.TooManyPixels
        : box.Holds(header.WidthPixels, header.HeightPixels) ? null : WebpNotTaken.Shrinks;
}

/// <summary>What one thread uses for one picture after another.</summary>
internal sealed class WebpWorkspace : IDisposable
{
    public Vp8Decoder Decoder { get; } = new();

    public Vp8Encoder Encoder { get; } = new();

    public Planes Planes { get; } = new();

    public EncoderPlan Plan { get; } = new();

    public Segmenter Segmenter { get; } = new();

    public void Trim(int bytes)
    {
        Decoder.Trim(bytes);
        Encoder.Trim(bytes);
        Planes.Trim(bytes);
        Segmenter.Trim(bytes);
    }

    public void Dispose()
    {
        Decoder.Dispose();
        Planes.Dispose();
        Segmenter.Dispose();
    }
}
