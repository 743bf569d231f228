namespace Halftone.Codec.Bare;

/// <summary>
/// The source without its metadata and without bytes after its end. The picture data is copied bit for bit, so it decodes to the same
/// pixels.
/// Also puts the few rights that survive (<see cref="Metadata.Rights"/>) into any file of these formats.
/// </summary>
/// <remarks>
/// Metadata may tell where and by whom a photograph was taken, and bytes after the end may be anything at all. What stays is listed by
/// name:
/// the picture, its colours, its orientation, and the timing of an animation.
/// </remarks>
internal static class BareSource
{
    /// <summary>Copies <paramref name="source"/> without metadata.</summary>
    /// <param name="source">A file that has been decoded whole, or whose structure has been walked.</param>
    /// <param name="format">Its format.</param>
    /// <param name="xmp">An XMP packet to put in; empty for none.</param>
    /// <returns><paramref name="source"/> itself if nothing had to change; null if the structure is not understood.</returns>
    public static ReadOnlyMemory<byte>? Of(ReadOnlyMemory<byte> source, ImageFormat format, ReadOnlySpan<byte> xmp = default)
    {
        var bare = format switch
        {
            ImageFormat.Jpeg => BareJpeg.Write(source.Span, xmp),
            ImageFormat.Png => BarePng.Write(source.Span, xmp),
            ImageFormat.Webp => BareWebp.Write(source.Span, xmp),
            ImageFormat.Gif => BareGif.Write(source.Span, xmp),
            ImageFormat.Avif => BareAvif.Write(source.Span, xmp),
            _ => null, // never written
        };
        // A conditional expression would make empty memory of null.
        if (bare is null)
        {
            return null;
        }

        return bare.AsSpan().SequenceEqual(source.Span) ? source : bare;
    }
}
