using System.Globalization;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec;

/// <summary>Names kinds of TIFF and JPEG that are healthy but not decoded, so that nobody is told that a good file is damaged.</summary>
internal static class UnservedKind
{
    private const int FloatingPoint = 3;

    /// <summary>The kind, with its article; null where it is decoded. Read before decoding: some of these decode to black.</summary>
    public static string? OfTiff(TiffPages tiff)
    {
        if (tiff.IsCameraRaw)
        {
            return "a camera raw file (TIFF with sensor data)";
        }

        var picture = tiff.Picture;
        var samples = picture.SampleFormat switch
        {
            1 => null,
            2 => "signed",
            FloatingPoint => "floating-point",
            5 or 6 => "complex",
            _ => "mixed",
        };
        if (samples is not null)
        {
            return $"a TIFF of {samples} samples";
        }

        if (picture.Bits is not (1 or 2 or 4 or 8 or 16 or 32))
        {
            return picture.Bits < 0
                ? "a TIFF of samples of different lengths"
                : string.Create(CultureInfo.InvariantCulture, $"a {picture.Bits}-bit TIFF");
        }

        return picture.Photometric switch
        {
            0 or 1 or 2 or 3 or 6 => null,
            5 => picture.Value(TiffTag.InkSet, 1) == 1 && picture.Bits is 8 or 16 ? null : "a TIFF of other inks than CMYK",
            8 or 9 => picture.Bits is 8 or 16 && picture.Compression != 7 ? null : $"a {picture.Bits}-bit Lab TIFF",
            10 => "an ITU Lab TIFF",
            32844 or 32845 => "a LogLuv TIFF",
            _ => "a TIFF of an unknown colour model",
        };
    }

    /// <summary>
    /// The kind of a TIFF that could not be decoded, where its compression explains that; null where the file is to blame.
    /// </summary>
    public static string? ByCompression(TiffPages tiff) => tiff.Picture.Compression switch
    {
        1 or 2 or 3 or 4 or 5 or 7 or 8 or 32773 or 32946 => null,
        6 => "a TIFF with old-style JPEG",
        9 or 10 or 34661 => "a JBIG TIFF",
        32766 => "a NeXT TIFF",
        32809 => "a ThunderScan TIFF",
        32908 or 32909 => "a PixarLog TIFF",
        33003 or 33004 or 33005 or 34712 => "a JPEG 2000 TIFF",
        34676 or 34677 => "an SGILog TIFF",
        34887 => "a LERC TIFF",
        34925 => "an LZMA TIFF",
        34933 => "a PNG TIFF",
        50000 => "a ZSTD TIFF",
        50001 => "a WebP TIFF",
        50002 or 52546 => "a JPEG XL TIFF",
        var other => string.Create(CultureInfo.InvariantCulture, $"a TIFF of compression {other}"),
    };

    /// <summary>The kind of a JPEG by its frame header; null where it is decoded.</summary>
    public static string? OfJpeg(ReadOnlySpan<byte> source)
    {
        var reader = new MarkerReader(source, 2);
        while (reader.Next() == MarkerStatus.Found && reader.Marker != Marker.Sos)
        {
            var isFrame = reader.Marker is >= Marker.Sof0 and <= Marker.Sof15 and not (Marker.Dht or Marker.Jpg or Marker.Dac);
            if (!isFrame && reader.Marker != Marker.Dhp)
            {
                continue;
            }

            return reader.Marker switch
            {
                Marker.Sof3 or 0xCB => "a lossless JPEG",
                Marker.Dhp or (>= Marker.Sof5 and <= Marker.Sof7) or (>= 0xCD and <= Marker.Sof15) => "a hierarchical JPEG",
                _ when reader.Segment is [not 8, ..] => string.Create(CultureInfo.InvariantCulture, $"a {reader.Segment[0]}-bit JPEG"),
                _ when reader.Segment is [_, 0, 0, ..] => "a JPEG that tells its height behind its pixels (DNL)",
                _ => null,
            };
        }

        return null;
    }
}
