using System.CommandLine;
using Halftone.Codec;
using Halftone.Model;

namespace Halftone.Cli;

/// <summary>Options of a CSV, shared by upload and run.</summary>
internal static class UploadOptions
{
    public static Option<int?> Quality { get; } = MakeQuality();

    public static Option<string> Format { get; } = MakeFormat();

    public static Option<int?> MaxWidth { get; } = MakeBound(
        "--max-width",
        "Maximum width in pixels; wider images are scaled down, none are enlarged. Default: no limit");

    public static Option<int?> MaxHeight { get; } = MakeBound(
        "--max-height",
        "Maximum height in pixels; taller images are scaled down, none are enlarged. Default: no limit");

    public static Option<string?> Variants { get; } = new("--variants")
    {
        Description =
            "Additional outputs of each image, such as 'thumb:max_width=200,max_height=200;zoom:quality=70'. docs/csv.md lists the "
            + "options.",
        HelpName = "SPEC",
    };

    public static Option<bool> EscapeFormulas { get; } = new("--escape-formulas")
    {
        Description = "Protect cells of the result that a spreadsheet program would run as formulas.",
    };

    /// <summary>Null to keep the format of each source.</summary>
    public static string? FormatOf(ParseResult result) => result.GetValue(Format) is { } format and not "keep" ? format : null;

    private static Option<int?> MakeQuality()
    {
        var quality = new Option<int?>("--quality") { Description = "From 1 to 100. Default: 50", HelpName = "Q" };
        quality.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int?>() is < 1 or > 100)
            {
                given.AddError("--quality must be a whole number from 1 to 100.");
            }
        });
        return quality;
    }

    private static Option<int?> MakeBound(string name, string description)
    {
        var bound = new Option<int?>(name) { Description = description, HelpName = "N" };
        bound.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int?>() is < 1 or > CodecRequest.MaxSidePixels)
            {
                given.AddError($"{name} must be a whole number from 1 to {CodecRequest.MaxSidePixels}.");
            }
        });
        return bound;
    }

    private static Option<string> MakeFormat()
    {
        var format = new Option<string>("--format")
        {
            Description = "Format of the images: keep (same as the source), jpeg (or jpg), png, webp, gif or avif. Default: keep",
            CustomParser = given =>
            {
                if (!OptionValue.TryFormat(given.Tokens[0].Value, out var name))
                {
                    given.AddError($"--format must be keep or one of {string.Join(", ", FormatName.Known)}.");
                }

                return name;
            },
        };
        format.CompletionSources.Add(["keep", .. FormatName.Known]);
        return format;
    }
}
