namespace Halftone.Codec;

/// <summary>The formats that are decoded; <see cref="Jpeg"/> to <see cref="Avif"/> are also written.</summary>
public enum ImageFormat
{
    /// <summary>JPEG, baseline or progressive.</summary>
    Jpeg = 1,
    /// <summary>PNG; written with a palette.</summary>
    Png = 2,
    /// <summary>WebP, animated ones too.</summary>
    Webp = 3,
    /// <summary>GIF, animated ones too.</summary>
    Gif = 4,
    /// <summary>AVIF: AV1 in a HEIF file.</summary>
    Avif = 5,
    /// <summary>TIFF, of which the first page is read; never written.</summary>
    Tiff = 6,
    /// <summary>A Windows bitmap; never written.</summary>
    Bmp = 7,
    /// <summary>An icon or a cursor, of which the largest picture is read; never written.</summary>
    Ico = 8,
}
