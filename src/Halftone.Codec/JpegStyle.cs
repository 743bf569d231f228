namespace Halftone.Codec;

/// <summary>How a JPEG that stays a JPEG is written.</summary>
public enum JpegStyle
{
    /// <summary>Levels chosen by rate and distortion, tables of our own, progressive from about 5 KB.</summary>
    Optimised = 0,
    /// <summary>As <see cref="Optimised"/>, in one scan whatever the size: for viewers that are slow with progressive files.</summary>
    Baseline = 1,
    /// <summary>Plain rounding to libjpeg's tables (ITU-T T.81, annex K), in one scan.</summary>
    Classic = 2,
}
