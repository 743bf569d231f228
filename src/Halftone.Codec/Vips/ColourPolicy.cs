using Halftone.Codec.Png;

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
        var isRgbOrGrey = image.Interpretation is Interpretation.Srgb or Interpretation.BlackAndWhite or Interpretation.Rgb16 or Interpretation.Grey16;
        var profile = image.Profile;
        var keeps = isRgbOrGrey && KeepsProfile(profile, to);
        if (image.Interpretation == Interpretation.Cmyk || (isRgbOrGrey && !keeps && IccProfile.IsProfile(profile) && !IccProfile.IsSrgb(profile)))
        {
            ConvertToSrgb(pipeline);
        }
        ConvertTo8Bit(pipeline);
        return keeps;
    }

    private static bool KeepsProfile(ReadOnlySpan<byte> profile, ImageFormat to) =>
        to != ImageFormat.Gif && VipsStartup.KnowsKeep
        && profile.Length <= SmallProfileBytes && IccProfile.IsProfile(profile) && !IccProfile.IsSrgb(profile)
        // A PNG leaves with a palette, which is always of red, green and blue.
        && (to != ImageFormat.Png || PaletteEncoder.IsRgbProfile(profile));

    private static void ConvertToSrgb(VipsPipeline pipeline)
    {
        var fallback = pipeline.Image.Interpretation == Interpretation.Cmyk ? "cmyk" : "srgb";
        var isGrey = pipeline.Image.Bands < 3;
        pipeline.Apply("icc_transform", $"output_profile=srgb,embedded=true,input_profile={fallback},intent=relative,black_point_compensation=true");
        if (isGrey)
        {
            pipeline.Apply("colourspace", "space=b-w");
        }
    }

    private static void ConvertTo8Bit(VipsPipeline pipeline)
    {
        var image = pipeline.Image;
        if (image.Interpretation is not (Interpretation.Srgb or Interpretation.BlackAndWhite))
        {
            pipeline.Apply("colourspace", image.Interpretation == Interpretation.Grey16 ? "space=b-w" : "space=srgb");
        }
        if (!pipeline.Image.Is8Bit)
        {
            pipeline.Apply("cast", "format=uchar");
        }
    }
}
