using Halftone.Codec.Jpeg;

namespace Halftone.Codec;

/// <summary>
/// Why no output was made. Those that begin with "Codec" are found by the process that watches a codec child, not by the codec.
/// </summary>
public enum CodecError
{
    /// <summary>The first bytes are of no image format; the detail says what they look like.</summary>
    NotAnImage = 1,
    /// <summary>An image, but of a format that is not served (SVG, PDF, HEIC and so on).</summary>
    UnsupportedFormat = 2,
    /// <summary>Truncated or broken inside; nothing of it is used.</summary>
    CorruptImage = 3,
    /// <summary>More pixels over all frames than <see cref="CodecRequest.MaxPixels"/>.</summary>
    TooManyPixels = 4,
    /// <summary>The child ended on this image.</summary>
    CodecCrashed = 5,
    /// <summary>The child took more time, or more processor time, than an image may.</summary>
    CodecTimedOut = 6,
    /// <summary>
    /// The image needs more memory than there is, or than a child may have. The codec finds this one itself where it can.
    /// </summary>
    CodecOutOfMemory = 7,
    /// <summary>An animation that cannot be written as it is asked for without losing frames.</summary>
    AnimationUnsupported = 8,
    /// <summary>
    /// The output is of one colour though its source is not, or has fewer frames or other pixels than its source: it is thrown away.
    /// </summary>
    WrongOutput = 9,
}

/// <summary>By which way an output was made.</summary>
public enum CodecWay
{
    /// <summary>JPEG to JPEG without decoding to pixels.</summary>
    DctDomain = 1,
    /// <summary>Decoded by libvips, then our own palette for a PNG.</summary>
    Palette = 2,
    /// <summary>Decoded and encoded by libvips.</summary>
    LibVips = 3,
    /// <summary>Not decoded: an animation that is passed on.</summary>
    Copied = 4,

    /// <summary>WebP from the source's own planes of luma and chroma, without RGB.</summary>
    Planes = 5,
}

/// <summary>What became of one image.</summary>
public abstract record CodecResult
{
    private CodecResult() { }

    /// <summary>A whole, decodable image.</summary>
    /// <param name="Body">The file's bytes.</param>
    /// <param name="Format">What the bytes are: extension and Content-Type follow it.</param>
    /// <param name="WidthPixels">Width as shown, after orientation.</param>
    /// <param name="HeightPixels">Height as shown, after orientation; of one frame.</param>
    /// <param name="KeptOriginal">The source's picture bit for bit, without its metadata, because compressing it would not have made it
    /// smaller.</param>
    public sealed record Compressed(
        ReadOnlyMemory<byte> Body, ImageFormat Format, int WidthPixels, int HeightPixels, bool KeptOriginal) : CodecResult
    {
        /// <summary>The body is the source as it came, so that nobody needs to send it back.</summary>
        public bool IsSource(ReadOnlyMemory<byte> source) => Body.Equals(source);

        /// <summary>The way it was made.</summary>
        public required CodecWay Way { get; init; }

        /// <summary>Why a JPEG that was to stay one did not go the cheap way; null where it did, and for everything else.</summary>
        public JpegNotTaken? NotTaken { get; init; }
    }

    /// <summary>No output.</summary>
    /// <param name="Error">The cause.</param>
    /// <param name="Detail">For operators and, where it says what the bytes were, for customers; holds no bytes of the source.</param>
    public sealed record Refused(CodecError Error, string Detail) : CodecResult;
}
