using Halftone.Codec.Png;
using NetVips;
using Interpretation = NetVips.Enums.Interpretation;

namespace Halftone.Codec.Vips;

/// <summary>
/// Colours look as they did: a profile that says sRGB is dropped; another small one stays in the file (its pixels
/// untouched); a large one, and any where the output has no place for it, is applied and the pixels become sRGB. So do
/// CMYK, Lab and every other space that browsers do not show.
/// </summary>
internal static class ColourPolicy
{
    /// <summary>4 KiB: Display P3, Adobe RGB and ProPhoto have 500 to 1000 bytes, those of printers and scanners hundreds of thousands.</summary>
    public const int SmallProfileBytes = 4096;

    /// <summary>Brings the image to 8-bit sRGB or grey.</summary>
    /// <returns>Whether the saver must keep the profile.</returns>
    public static bool Apply(VipsPipeline pipeline, ImageFormat to)
    {
        var image = pipeline.Image;
        var isRgbOrGrey = image.Interpretation is Interpretation.Srgb or Interpretation.Bw or Interpretation.Rgb16 or Interpretation.Grey16;
        var profile = image.ColourProfile;
        var keeps = isRgbOrGrey && KeepsProfile(profile, to);
        if (image.Interpretation == Interpretation.Cmyk || (isRgbOrGrey && !keeps && IccProfile.IsProfile(profile) && !IccProfile.IsSrgb(profile)))
        {
            ConvertToSrgb(pipeline);
        }
        ConvertTo8Bit(pipeline);
        return keeps;
    }

    private static bool KeepsProfile(ReadOnlySpan<byte> profile, ImageFormat to) =>
        to != ImageFormat.Gif && profile.Length <= SmallProfileBytes && IccProfile.IsProfile(profile) && !IccProfile.IsSrgb(profile)
        // A PNG leaves with a palette, which is always of red, green and blue.
        && (to != ImageFormat.Png || PaletteEncoder.IsRgbProfile(profile));

    private static void ConvertToSrgb(VipsPipeline pipeline)
    {
        var fallback = pipeline.Image.Interpretation == Interpretation.Cmyk ? "cmyk" : "srgb";
        var isGrey = pipeline.Image.Bands < 3;
        pipeline.Apply(image => image.IccTransform(
            "srgb", embedded: true, inputProfile: fallback, intent: Enums.Intent.Relative, blackPointCompensation: true));
        if (isGrey)
        {
            pipeline.Apply(image => image.Colourspace(Interpretation.Bw));
        }
    }

    private static void ConvertTo8Bit(VipsPipeline pipeline)
    {
        if (pipeline.Image.Interpretation is not (Interpretation.Srgb or Interpretation.Bw))
        {
            pipeline.Apply(image => image.Colourspace(image.Interpretation == Interpretation.Grey16 ? Interpretation.Bw : Interpretation.Srgb));
        }
        if (pipeline.Image.Format != Enums.BandFormat.Uchar)
        {
            pipeline.Apply(image => image.Cast(Enums.BandFormat.Uchar));
        }
    }
}
