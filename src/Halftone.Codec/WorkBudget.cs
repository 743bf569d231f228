using System.Buffers.Binary;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec;

/// <summary>
/// Processor time that an image may take, by its pixels and the cost of its formats. A limit that is the same for all would let a large
/// image pass
/// on a fast machine and fail on a busy one; this one is several times what the encoders need, and yet bounds what a hostile file can cost.
/// </summary>
public static class WorkBudget
{
    /// <summary>
    /// Seconds a million pixels for AVIF by effort 0 to 9; the encoder was measured at 0.04 to 4 s (bench/results/vips-settings.md).
    /// </summary>
    private static readonly double[] AvifSeconds = [0.5, 1, 1.5, 2.5, 8, 12, 20, 40, 60, 80];

    /// <summary>Seconds beyond those that every image has, whole.</summary>
    /// <param name="source">The file; only its structure is read.</param>
    /// <param name="request">What is wanted of it.</param>
    public static int ExtraSeconds(ReadOnlySpan<byte> source, CodecRequest request)
    {
        if (SourceSniffer.Sniff(source).Format is not { } from)
        {
            return 0;
        }

        var pixels = Math.Min(Pixels(source, from), request.MaxPixels);
        var to = request.Format ?? from;
        return (int)Math.Ceiling(pixels / 1e6 * (DecodingSeconds(from) + EncodingSeconds(to, request)));
    }

    private static double DecodingSeconds(ImageFormat from) => from switch
    {
        ImageFormat.Avif => 0.4,
        ImageFormat.Jpeg or ImageFormat.Webp => 0.2,
        _ => 0.1,
    };

    private static double EncodingSeconds(ImageFormat to, CodecRequest request) => to switch
    {
        ImageFormat.Avif => AvifSeconds[request.AvifEffort],
        ImageFormat.Webp => request.WebpEffort >= 4 ? 2 : 1,
        ImageFormat.Gif => 1,
        _ => 0.5,
    };

    /// <summary>Over all frames, as the headers say; 0 where they say nothing.</summary>
    internal static long Pixels(ReadOnlySpan<byte> source, ImageFormat format)
    {
        var (width, height) = Size(source, format);
        return (long)width * height * (format is ImageFormat.Jpeg or ImageFormat.Tiff or ImageFormat.Bmp or ImageFormat.Ico
            ? 1
            : SourceFacts.Read(source, format).Frames);
    }

    private static (int Width, int Height) Size(ReadOnlySpan<byte> source, ImageFormat format)
    {
        switch (format)
        {
            case ImageFormat.Jpeg:
                return JpegSize(source);
            case ImageFormat.Png:
                return PngFacts.Read(source) is { } png ? (png.Width, png.Height) : default;
            case ImageFormat.Gif when source.Length >= 10:
                return (BinaryPrimitives.ReadUInt16LittleEndian(source[6..]), BinaryPrimitives.ReadUInt16LittleEndian(source[8..]));
            case ImageFormat.Webp:
                return Bare.BareWebp.Size(source);
            case ImageFormat.Avif:
                return AvifFile.Read(source)?.CodedSize ?? default;
            case ImageFormat.Tiff:
                return TiffPages.Read(source)?.Picture is { } page ? (page.Width, page.Height) : default;
            case ImageFormat.Bmp:
                return BmpImage.ReadHeader(source) is { } bitmap ? (bitmap.Width, bitmap.Height) : default;
            default:
                return default;
        }
    }

    private static (int Width, int Height) JpegSize(ReadOnlySpan<byte> source)
    {
        var reader = new MarkerReader(source, 2);
        while (reader.Next() == MarkerStatus.Found && reader.Marker != Marker.Sos)
        {
            if (reader.Marker is >= Marker.Sof0 and <= Marker.Sof15 and not (Marker.Dht or Marker.Jpg or Marker.Dac)
                && reader.Segment.Length >= 5)
            {
                return (
                    BinaryPrimitives.ReadUInt16BigEndian(reader.Segment[3..]), BinaryPrimitives.ReadUInt16BigEndian(reader.Segment[1..]));
            }
        }

        return default;
    }
}
