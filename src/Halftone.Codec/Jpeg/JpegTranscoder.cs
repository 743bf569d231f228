namespace Halftone.Codec.Jpeg;

/// <summary>
/// JPEG to JPEG without leaving the DCT domain: Huffman decoding, requantization to the wanted quality's tables, Huffman
/// encoding with optimal tables. No pixel is computed, so it takes about a quarter of the processor time of decoding and
/// encoding, and loses nothing to a second transform.
/// </summary>
internal static class JpegTranscoder
{
    [ThreadStatic]
    private static JpegWorkspace? workspace;

    /// <summary>Transcodes one file. Any bytes may be given; every outcome is a value.</summary>
    /// <param name="source">The whole file.</param>
    /// <param name="q">Quality as libjpeg counts it, 1 to 100.</param>
    /// <param name="maxPixels">Limit on width × height, checked before anything is decoded.</param>
    /// <param name="box">An image that it does not hold is decoded to see whether it is whole, and then not taken.</param>
    /// <param name="style">Of the output.</param>
    public static JpegTranscodeResult Transcode(
        ReadOnlySpan<byte> source, int q, long maxPixels, SizeBox box = default, JpegStyle style = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(q, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(q, 100);
        if (JpegHeader.Read(source, maxPixels, out var refusal) is not { } header)
        {
            return refusal!;
        }

        return Read(source, header, q, style, encodes: box.Holds(header.ShownWidthPixels, header.ShownHeightPixels));
    }

    /// <summary>Decodes a file, to see whether it is whole.</summary>
    /// <returns>What is wrong with it; null where nothing is, and where it is one for the general decoder.</returns>
    public static JpegTranscodeResult.Corrupt? Check(ReadOnlySpan<byte> source, long maxPixels) =>
        (JpegHeader.Read(source, maxPixels, out var refusal) is { } header
            ? Read(source, header, q: 100, default, encodes: false)
            : refusal) as JpegTranscodeResult.Corrupt;

    private static JpegTranscodeResult Read(ReadOnlySpan<byte> source, JpegHeader header, int q, JpegStyle style, bool encodes)
    {
        workspace ??= new JpegWorkspace();
        try
        {
            return new JpegTranscoding(workspace, header, q, style, encodes).Run(source);
        }
        finally
        {
            workspace.Trim();
        }
    }
}
