namespace Halftone.Codec;

/// <summary>The formats that are decoded; <see cref="Jpeg"/> to <see cref="Avif"/> are also written.</summary>
public enum ImageFormat
{
    Jpeg = 1,
    Png = 2,
    Webp = 3,
    Gif = 4,
    Avif = 5,
    Tiff = 6,
    Bmp = 7,
    /// <summary>An icon or a cursor.</summary>
    Ico = 8,
}
