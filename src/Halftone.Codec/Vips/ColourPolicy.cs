using Halftone.Codec.Colour;
using NetVips;
using Interpretation = NetVips.Enums.Interpretation;

namespace Halftone.Codec.Vips;

/// <summary>
/// The one place that decides about colours (docs/pictures.md). They look as they did, and the output is of 8 bits a sample, in sRGB, grey
/// or the
/// colours of a small profile that stays in the file.
/// </summary>
/// <remarks>
/// A profile stays where it is small, of the output's own model, has a curve for which 8 bits are enough, and is not sRGB anyway. Any other
/// that fits
/// the pixels is applied. What a PNG says by cICP, gAMA and cHRM and an AVIF by nclx is applied too, PQ and HLG by <see cref="ToneMap"/>.
/// CMYK without a profile becomes what browsers make of it.
/// </remarks>
internal static class ColourPolicy
{
    /// <summary>
    /// 4 KiB: Display P3, Adobe RGB and ProPhoto have 500 to 1000 bytes, those of printers and scanners hundreds of thousands.
    /// </summary>
    public const int SmallProfileBytes = 4096;

    /// <summary>The usual gamma of 1/2.2, as it is rounded in files; with sRGB's primaries it is sRGB to all viewers.</summary>
    private const double UsualGamma = 0.45455, GammaTolerance = 0.006, ChromaticityTolerance = 0.003;

    /// <summary>Brings the image to 8-bit sRGB or grey.</summary>
    /// <param name="pipeline">Holds the image.</param>
    /// <param name="facts">What the file says of its colours beside the profile.</param>
    /// <param name="to">The output's format.</param>
    /// <returns>Whether the saver must keep the profile.</returns>
    public static bool Apply(VipsPipeline pipeline, SourceFacts facts, ImageFormat to)
    {
        var image = pipeline.Image;
        if (image.Interpretation == Interpretation.Cmyk)
        {
            FromCmyk(pipeline);
            ConvertTo8Bit(pipeline);
            return false;
        }

        if (image.Interpretation is not (Interpretation.Srgb or Interpretation.Bw or Interpretation.Rgb16 or Interpretation.Grey16))
        {
            ConvertTo8Bit(pipeline);
            return false;
        }

        if (facts.Coding is { IsHdr: true } hdr)
        {
            ToneMap.Apply(pipeline, hdr);
            return false;
        }

        var isGrey = image.Bands < 3;
        var profile = SaidOtherwise(facts, image.ColourProfile.Length > 0, isGrey, out var replaces) is { } made
            ? made
            : replaces ? [] : image.ColourProfile;
        if (!(isGrey ? IccProfile.IsGrey(profile) : IccProfile.IsRgb(profile)) || IccProfile.IsSrgb(profile))
        {
            ConvertTo8Bit(pipeline);
            return false;
        }

        if (!replaces && KeepsProfile(profile, isGrey, to))
        {
            ConvertTo8Bit(pipeline);
            return true;
        }

        ConvertToSrgb(pipeline, profile, isGrey);
        ConvertTo8Bit(pipeline);
        return false;
    }

    /// <summary>Whether an encoder writes the profile into the file, and 8 bits are enough for its curve.</summary>
    public static bool KeepsProfile(ReadOnlySpan<byte> profile, bool isGrey, ImageFormat to) =>
        profile.Length <= SmallProfileBytes && IccProfile.FitsEightBits(profile)
        // WebP and AVIF are of colours, and a PNG leaves with a palette of colours: a profile of grey belongs to none of them.
        && (isGrey ? to == ImageFormat.Jpeg : to != ImageFormat.Gif);

    /// <summary>A profile of what the file says by numbers; null where that is nothing, or sRGB.</summary>
    /// <param name="facts">Of the file.</param>
    /// <param name="hasProfile">It has an ICC profile, which only a PNG's cICP outranks.</param>
    /// <param name="isGrey">Of one colour sample.</param>
    /// <param name="replaces">What is said counts in place of the profile.</param>
    private static byte[]? SaidOtherwise(SourceFacts facts, bool hasProfile, bool isGrey, out bool replaces)
    {
        replaces = false;
        if (facts.Coding is { } coding && (facts.Png is not null || !hasProfile))
        {
            replaces = true;
            var gamma = NumberedColours.Gamma(coding.Transfer);
            return coding.HasSrgbPrimaries && gamma == NumberedColours.SrgbGamma
                ? null
                : Made(NumberedColours.Primaries(coding.Primaries), gamma, isGrey);
        }

        if (facts.Png is not { SaysSrgb: false, HasProfile: false } png || (png.Gamma ?? 0) == 0 && png.Chromaticities is null)
        {
            return null;
        }

        replaces = true;
        var xy = png.Chromaticities ?? NumberedColours.Primaries(1);
        var isUsual = Math.Abs((png.Gamma ?? UsualGamma) - UsualGamma) <= GammaTolerance;
        return isUsual && IsSrgb(xy)
            ? null
            : Made(xy, isUsual ? png.Gamma is null ? NumberedColours.SrgbGamma : 1 / UsualGamma : 1 / png.Gamma!.Value, isGrey);
    }

    private static byte[]? Made(double[] xy, double gamma, bool isGrey) => isGrey ? MadeProfile.Grey(gamma) : MadeProfile.Rgb(xy, gamma);

    private static bool IsSrgb(double[] xy) =>
        xy.Zip(NumberedColours.Primaries(1)).All(pair => Math.Abs(pair.First - pair.Second) <= ChromaticityTolerance);

    private static void ConvertToSrgb(VipsPipeline pipeline, byte[] profile, bool isGrey)
    {
        pipeline.Apply(image => image.Mutate(copy => copy.Set(GValue.BlobType, ImageFields.Profile, profile)));
        pipeline.Apply(image =>
            image.IccTransform("srgb", embedded: true, inputProfile: "srgb", intent: Enums.Intent.Relative, blackPointCompensation: true));
        if (isGrey)
        {
            pipeline.Apply(image => image.Colourspace(Interpretation.Bw));
        }
    }

    /// <summary>
    /// By the embedded profile. Without one black ink alone has to be black and no ink white: each colour is what two inks leave of the
    /// light, as
    /// browsers count.
    /// </summary>
    private static void FromCmyk(VipsPipeline pipeline)
    {
        if (IccProfile.IsCmyk(pipeline.Image.ColourProfile))
        {
            pipeline.Apply(image =>
                image.IccTransform(
                    "srgb", embedded: true, inputProfile: "cmyk", intent: Enums.Intent.Relative, blackPointCompensation: true));
            return;
        }

        pipeline.Apply(image =>
        {
            double full = image.Format == Enums.BandFormat.Ushort ? 65535 : 255;
            using var left = image.ExtractBand(0, 4).Linear([-1], [full]);
            using var colours = left.ExtractBand(0, 3);
            using var black = left.ExtractBand(3);
            using var light = colours * black;
            using var scaled = light.Linear([255 / full / full], [0.5]).Cast(Enums.BandFormat.Uchar);
            using var rgb = scaled.Copy(interpretation: Interpretation.Srgb);
            if (image.Bands < 5)
            {
                return rgb.Copy();
            }

            using var alpha = image.ExtractBand(4).Linear([255 / full], [0.5]).Cast(Enums.BandFormat.Uchar);
            return rgb.Bandjoin(alpha).Copy(interpretation: Interpretation.Srgb);
        });
    }

    private static void ConvertTo8Bit(VipsPipeline pipeline)
    {
        if (pipeline.Image.Interpretation is not (Interpretation.Srgb or Interpretation.Bw))
        {
            pipeline.Apply(
                image => image.Colourspace(image.Interpretation == Interpretation.Grey16 ? Interpretation.Bw : Interpretation.Srgb));
        }

        if (pipeline.Image.Format != Enums.BandFormat.Uchar)
        {
            pipeline.Apply(image => image.Cast(Enums.BandFormat.Uchar));
        }
    }
}
