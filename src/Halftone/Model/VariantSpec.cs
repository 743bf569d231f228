using System.Globalization;
using System.Text;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>
/// An additional output of every image of a request, made from the same download. Written
/// <c>name:option=value,option=value</c>, several separated by semicolons; <see cref="TextOf"/> writes the canonical
/// form that is stored and sent.
/// </summary>
internal sealed record VariantSpec
{
    private const int MaxNameChars = 32;

    /// <summary>
    /// 1 to 32 of a-z, 0-9, - and _, starting with a letter or digit; unique within the request. Used in object keys
    /// and column names.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>Maximum size in pixels; null: no limit, whatever the request's.</summary>
    public int? MaxWidth { get; init; }

    public int? MaxHeight { get; init; }

    /// <summary>keep or a name of <see cref="FormatName.Known"/>; null: the request's.</summary>
    public string? Format { get; init; }

    /// <summary>1 to 100; null: the request's.</summary>
    public int? Quality { get; init; }

    /// <summary>Parses the variants of an upload.</summary>
    /// <param name="text">One or more variants.</param>
    /// <param name="most">Maximum number of variants.</param>
    /// <param name="variants">In the order of the text; empty if there is a problem.</param>
    /// <returns>Null, or a sentence that names the invalid variant and option.</returns>
    public static string? Read(string text, int most, out IReadOnlyList<VariantSpec> variants)
    {
        variants = [];
        var read = new List<VariantSpec>();
        foreach (var part in text.Split(';', StringSplitOptions.TrimEntries))
        {
            if (ReadOne(part, out var variant) is { } problem)
            {
                return $"'variants': {problem}";
            }

            if (read.Any(other => other.Name == variant.Name))
            {
                return $"'variants': the name '{variant.Name}' is used twice; names must be unique.";
            }

            read.Add(variant);
        }

        if (read.Count > most)
        {
            return $"'variants': {read.Count} variants are too many; at most {most} are allowed (Intake:MaxVariants).";
        }

        variants = read;
        return null;
    }

    /// <summary>Parses the output of <see cref="TextOf"/>; empty for null.</summary>
    public static IReadOnlyList<VariantSpec> Parse(string? text)
    {
        if (text is null)
        {
            return [];
        }

        return Read(text, int.MaxValue, out var variants) is { } problem ? throw new FormatException(problem) : variants;
    }

    /// <summary>Null if there are none.</summary>
    public static string? TextOf(IReadOnlyCollection<VariantSpec> variants) => variants.Count == 0 ? null : string.Join(';', variants);

    /// <summary>The request to the codec.</summary>
    /// <param name="quality">The quality of the request.</param>
    /// <param name="format">The format of the request, or null to keep the source's.</param>
    public CodecRequest ToRequest(int quality, string? format) => new()
    {
        Q = Quality ?? quality,
        Format = FormatName.Parse((Format ?? format) is { } named and not "keep" ? named : null),
        MaxWidth = MaxWidth,
        MaxHeight = MaxHeight,
    };

    public override string ToString()
    {
        var options = new StringBuilder();
        Append("max_width", MaxWidth?.ToString(CultureInfo.InvariantCulture));
        Append("max_height", MaxHeight?.ToString(CultureInfo.InvariantCulture));
        Append("format", Format);
        Append("quality", Quality?.ToString(CultureInfo.InvariantCulture));
        return Name + options;

        void Append(string option, string? value)
        {
            if (value is not null)
            {
                options.Append(options.Length == 0 ? ':' : ',').Append(option).Append('=').Append(value);
            }
        }
    }

    private static string? ReadOne(string text, out VariantSpec variant)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = (colon < 0 ? text : text[..colon]).Trim();
        variant = new VariantSpec { Name = name };
        if (name.Length == 0)
        {
            return "a name is missing; write name:option=value,option=value, and separate variants with semicolons.";
        }

        if (name.Length > MaxNameChars
            || !char.IsAsciiLetterOrDigit(name[0])
            || name.Any(c => !(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_')))
        {
            return $"'{Shown(name)}' is not a valid variant name; use 1 to {MaxNameChars} of a-z, 0-9, - and _, starting with a letter "
                + "or digit.";
        }

        var given = new HashSet<string>(StringComparer.Ordinal);
        var hasOptions = colon >= 0 && !text.AsSpan(colon + 1).IsWhiteSpace();
        foreach (var pair in hasOptions ? text[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries) : [])
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var (option, value) = equals < 0 ? (pair, "") : (pair[..equals].TrimEnd(), pair[(equals + 1)..].TrimStart());
            if (!given.Add(option))
            {
                return $"{Shown(option)} of '{name}' is given twice.";
            }

            if (Set(ref variant, option, value) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static string? Set(ref VariantSpec variant, string option, string value)
    {
        switch (option)
        {
            case "max_width" when OptionValue.TryPixels(value, out var pixels):
                variant = variant with { MaxWidth = pixels };
                return null;
            case "max_height" when OptionValue.TryPixels(value, out var pixels):
                variant = variant with { MaxHeight = pixels };
                return null;
            case "quality" when OptionValue.TryQuality(value, out var quality):
                variant = variant with { Quality = quality };
                return null;
            case "format" when OptionValue.TryFormat(value, out var format):
                variant = variant with { Format = format };
                return null;
            case "max_width" or "max_height":
                return $"{option} of '{variant.Name}' must be a whole number of pixels from 1 to {CodecRequest.MaxSidePixels}. Leave it "
                    + "out for no limit.";
            case "quality":
                return $"quality of '{variant.Name}' must be a whole number from 1 to 100. Default: the quality of the request.";
            case "format":
                return $"format of '{variant.Name}' must be keep or one of {string.Join(", ", FormatName.Known)}. Default: the format of "
                    + "the request.";
            default:
                return $"'{Shown(option)}' of '{variant.Name}' is not a variant option. Options: max_width, max_height, format and "
                    + "quality, written option=value.";
        }
    }

    private static string Shown(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
