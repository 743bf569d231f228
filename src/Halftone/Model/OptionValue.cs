using System.Globalization;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>Parses the options of an output, for requests and for variants.</summary>
internal static class OptionValue
{
    public static bool TryQuality(string text, out int quality) => TryWhole(text, 100, out quality);

    public static bool TryPixels(string text, out int pixels) => TryWhole(text, CodecRequest.MaxSidePixels, out pixels);

    /// <param name="text">In any case; jpg means jpeg.</param>
    /// <param name="format">keep, or a name of <see cref="FormatName.Known"/>.</param>
    public static bool TryFormat(string text, out string format)
    {
        var name = text.ToLowerInvariant();
        format = name == "jpg" ? "jpeg" : name;
        return format == "keep" || FormatName.Known.Contains(format);
    }

    private static bool TryWhole(string text, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 1 && number <= most;
}
