using System.Globalization;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>
/// The options of a request's outputs, from the upload through its row and its messages to the status. A new option is a property here,
/// a column in the lists below and a migration; a test finds what was forgotten.
/// </summary>
internal sealed record OutputOptions
{
    /// <summary>Quality of the main output, 1 to 100.</summary>
    public required int Quality { get; init; }

    /// <summary>A name of <see cref="FormatName.Known"/>, or null to keep the format of each source.</summary>
    public string? Format { get; init; }

    /// <summary>Maximum size of the main output in pixels, 1 to 65,535; null: no limit.</summary>
    public int? MaxWidth { get; init; }

    public int? MaxHeight { get; init; }

    /// <summary>Additional outputs of each image, as written by <see cref="VariantSpec.TextOf"/>; null: none.</summary>
    public string? Variants { get; init; }

    /// <summary>Their names in an upload.</summary>
    public static IReadOnlyList<string> Names { get; } = ["quality", "format", "max_width", "max_height", "variants"];

    /// <summary>Their columns, to insert into <c>request</c>.</summary>
    public const string Columns = "quality, format, max_width, max_height, variants";

    /// <summary>The values of <see cref="Columns"/>.</summary>
    public const string Parameters = "@Quality, @Format, @MaxWidth, @MaxHeight, @Variants";

    /// <summary>
    /// Their columns, to select from <c>request r</c>. They come last in a row, so that Dapper splits it at the first
    /// of them.
    /// </summary>
    public const string Selected = "r.quality, r.format, r.max_width, r.max_height, r.variants";

    /// <summary>The first of <see cref="Selected"/>.</summary>
    public const string SplitOn = "quality";

    /// <summary>Sets one of them from its text in an upload.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="value">Not empty.</param>
    /// <param name="maxVariants">Maximum number of variants.</param>
    /// <param name="changed">The options with it; unchanged if there is a problem.</param>
    /// <returns>Null, or a sentence that says which values are allowed.</returns>
    public string? Set(string name, string value, int maxVariants, out OutputOptions changed)
    {
        changed = this;
        switch (name)
        {
            case "quality" when OptionValue.TryQuality(value, out var quality):
                changed = this with { Quality = quality };
                return null;
            case "format" when OptionValue.TryFormat(value, out var format):
                changed = this with { Format = format == "keep" ? null : format };
                return null;
            case "max_width" when OptionValue.TryPixels(value, out var pixels):
                changed = this with { MaxWidth = pixels };
                return null;
            case "max_height" when OptionValue.TryPixels(value, out var pixels):
                changed = this with { MaxHeight = pixels };
                return null;
            case "variants":
                var problem = VariantSpec.Read(value, maxVariants, out var variants);
                changed = problem is null ? this with { Variants = VariantSpec.TextOf(variants) } : this;
                return problem;
            case "quality":
                return "'quality' must be a whole number from 1 to 100. Default: 50.";
            case "format":
                return $"'format' must be keep (the default) or one of {string.Join(", ", FormatName.Known)}.";
            case "max_width" or "max_height":
                return $"'{name}' must be a whole number of pixels from 1 to {CodecRequest.MaxSidePixels}. Leave it out for no limit.";
            default:
                throw new ArgumentOutOfRangeException(nameof(name), name, "Not an option of outputs.");
        }
    }

    /// <summary>The outputs to make of each image: the main one first, then the variants in their order.</summary>
    public IReadOnlyList<WantedOutput> Wanted()
    {
        var main = new CodecRequest { Q = Quality, Format = FormatName.Parse(Format), MaxWidth = MaxWidth, MaxHeight = MaxHeight };
        var variants = VariantSpec.Parse(Variants).Select(variant => new WantedOutput(variant.Name, variant.ToRequest(Quality, Format)));
        return [new WantedOutput(null, main), .. variants];
    }

    /// <summary>
    /// The part of a key that the options of the first version are. What is found by a key was made with the same
    /// options.
    /// </summary>
    public string FirstKeyPart(char separator) => string.Create(CultureInfo.InvariantCulture, $"{Quality}{separator}{Format}");

    /// <summary>
    /// The part of a key that later options are, each only if it was asked for: keys that were made before there was
    /// such an option stay good.
    /// </summary>
    public string LaterKeyPart(char separator)
    {
        var size = this is { MaxWidth: null, MaxHeight: null }
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{separator}fits {MaxWidth}x{MaxHeight}");
        return size + (Variants is null ? "" : $"{separator}variants {Variants}");
    }
}
