namespace Halftone.Codec.Jpeg;

/// <summary>
/// Why a JPEG is left to the general decoder. Each name is counted, so that the share of files on the DCT path can be explained.
/// </summary>
public enum JpegNotTaken
{
    /// <summary>SOF9 to SOF15, or conditioning for them (DAC).</summary>
    Arithmetic = 1,
    /// <summary>SOF3.</summary>
    Lossless = 2,
    /// <summary>SOF5 to SOF7, DHP, EXP.</summary>
    Hierarchical = 3,
    /// <summary>Samples of other than 8 bits.</summary>
    SamplePrecision = 4,
    /// <summary>Four components: CMYK or YCCK.</summary>
    Cmyk = 5,
    /// <summary>Three components that are not YCbCr: an Adobe segment or the component ids say RGB.</summary>
    Rgb = 6,
    /// <summary>Two components, or more than four.</summary>
    ComponentCount = 7,
    /// <summary>Chroma finer than luma, unequal chroma components, or a ratio that is not whole.</summary>
    OddSampling = 8,
    /// <summary>A quantization step above 255, which a baseline file cannot hold.</summary>
    WideSteps = 9,
    /// <summary>A colour profile that is neither sRGB nor small: converting to sRGB needs pixels.</summary>
    LargeProfile = 10,
    /// <summary>A colour profile with missing parts or for other components than the image has.</summary>
    BrokenProfile = 11,
    /// <summary>Segments in an order or of a kind that this reader does not follow, such as a height given by DNL.</summary>
    UnusualMarkers = 12,
    /// <summary>Scans that break the rules of progression, repeat a component or leave out a coefficient.</summary>
    UnusualScans = 13,
    /// <summary>More passes over the blocks than any encoder makes.</summary>
    TooManyScans = 14,
    /// <summary>More coefficients or output tokens than the memory set aside for one image.</summary>
    TooLarge = 15,
    /// <summary>A complete scan is followed by data that belongs to nothing.</summary>
    ExtraData = 16,
    /// <summary>A coefficient that no 8-bit image can have.</summary>
    CoefficientRange = 17,
    /// <summary>Larger than was asked for: shrinking needs pixels.</summary>
    Shrinks = 18,
}

/// <summary>What became of one JPEG.</summary>
internal abstract record JpegTranscodeResult
{
    private JpegTranscodeResult() { }

    /// <summary>A whole JPEG of the wanted quality, never longer than the source.</summary>
    /// <param name="Body">The file's bytes.</param>
    /// <param name="WidthPixels">Width as shown, after orientation.</param>
    /// <param name="HeightPixels">Height as shown, after orientation.</param>
    /// <param name="IsLossless">Every pixel decodes as it did: the source was at or below the quality.</param>
    public sealed record Done(ReadOnlyMemory<byte> Body, int WidthPixels, int HeightPixels, bool IsLossless) : JpegTranscodeResult
    {
        /// <summary>The source's own scans without its metadata: encoding them again would not have made them shorter.</summary>
        public bool IsCopy { get; init; }
    }

    /// <summary>
    /// The source decoded whole, carries nothing to drop, and no output of ours is shorter: keep it as it is.
    /// </summary>
    public sealed record KeepOriginal(int WidthPixels, int HeightPixels) : JpegTranscodeResult;

    /// <summary>A JPEG, but one for the general decoder, whose word on it counts.</summary>
    public sealed record NotTaken(JpegNotTaken Reason) : JpegTranscodeResult;

    /// <summary>Truncated or broken; nothing of it is used.</summary>
    /// <param name="Detail">For operators; holds no bytes of the source.</param>
    public sealed record Corrupt(string Detail) : JpegTranscodeResult;

    /// <summary>The header says more pixels than the caller allows.</summary>
    public sealed record TooManyPixels(int WidthPixels, int HeightPixels) : JpegTranscodeResult;
}
