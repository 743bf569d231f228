using Halftone.Codec.Colour;
using Halftone.Codec.Vips;

namespace Halftone.Codec.Webp;

/// <summary>
/// Whether a colour profile can stay in the file or be dropped, by the rules of <see cref="ColourPolicy"/>, with pixels as they are.
/// </summary>
internal static class WebpProfile
{
    /// <param name="profile">Of the source; empty without one.</param>
    /// <param name="kept">What the output gets; empty for none.</param>
    /// <returns>Why the file is one for libvips, or null.</returns>
    public static WebpNotTaken? Judge(ReadOnlySpan<byte> profile, out ReadOnlySpan<byte> kept)
    {
        kept = default;
        if (!IccProfile.IsProfile(profile) || IccProfile.IsSrgb(profile))
        {
            return null;
        }

        if (profile.Length > ColourPolicy.SmallProfileBytes || !IccProfile.IsRgb(profile) || !IccProfile.FitsEightBits(profile))
        {
            return WebpNotTaken.LargeProfile;
        }

        kept = profile;
        return null;
    }
}
