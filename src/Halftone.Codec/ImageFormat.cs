namespace Halftone.Codec;

/// <summary>The formats that are decoded; all but <see cref="Tiff"/> are also written.</summary>
public enum ImageFormat
{
    Jpeg = 1,
    Png = 2,
    Webp = 3,
    Gif = 4,
    Avif = 5,
    Tiff = 6,
}
