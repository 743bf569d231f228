using System.Text.Json;
using Halftone.Codec;
using Halftone.Fetch;
using Halftone.Intake;
using Halftone.Model;

namespace Halftone.Api;

/// <summary>What was read of an upload so far, in whatever order it came and by whichever body: the file, and the fields beside it.</summary>
internal sealed class UploadForm(IntakeChoices choices, SafeConnect connect, int maxVariants)
{
    /// <summary>The names of <see cref="UploadFields"/> on the wire.</summary>
    public static IReadOnlyList<string> Fields { get; } = [.. typeof(UploadFields).GetProperties().Select(field => JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name))];

    private readonly HashSet<string> given = new(StringComparer.Ordinal);

    public SpooledUpload? Upload { get; set; }

    /// <summary>What the file is to be called; null where nothing says so.</summary>
    public string? FileName { get; private set; }

    /// <summary>The upload is no longer the form's to discard.</summary>
    public bool IsHandedOver { get; set; }

    public IntakeChoices Choices { get; private set; } = choices;

    /// <summary>The file is to be checked and nothing of it kept.</summary>
    public bool ValidateOnly { get; private set; }

    /// <summary>Notes that a field was given; false where it was before, in the query or in the body, with whatever value.</summary>
    public bool TryAdd(string field) => given.Add(field);

    /// <param name="name">An empty one is none.</param>
    public void SetFileName(string? name) => FileName = string.IsNullOrWhiteSpace(name) ? null : name;

    /// <summary>Takes a field's value; an empty one is none.</summary>
    /// <returns>Null, or a sentence that says what is allowed.</returns>
    public async Task<string?> SetAsync(string field, string value, CancellationToken cancellationToken) => (field, value) switch
    {
        (_, "") => null,
        ("webhook_url", _) => await SetWebhookUrlAsync(value, cancellationToken),
        ("quality", _) => SetQuality(value),
        ("format", _) => SetFormat(value),
        ("max_width", _) => SetBound(field, value, bound => Choices = Choices with { MaxWidth = bound }),
        ("max_height", _) => SetBound(field, value, bound => Choices = Choices with { MaxHeight = bound }),
        ("variants", _) => SetVariants(value),
        ("escape_formulas", _) => SetFlag(field, value, escape => Choices = Choices with { EscapeFormulas = escape }),
        ("reuse", _) => SetFlag(field, value, reuse => Choices = Choices with { Reuse = reuse }, isDefault: true),
        ("validate_only", _) => SetFlag(field, value, only => ValidateOnly = only),
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "Not a field."),
    };

    private async Task<string?> SetWebhookUrlAsync(string value, CancellationToken cancellationToken)
    {
        if (await CallbackUrl.ProblemAsync("webhook_url", value, connect, cancellationToken) is { } problem)
        {
            return problem;
        }

        Choices = Choices with { WebhookUrl = new Uri(value) };
        return null;
    }

    private string? SetQuality(string value)
    {
        if (!OptionValue.TryQuality(value, out var quality))
        {
            return "'quality' must be a whole number from 1 to 100; 50 is the default.";
        }

        Choices = Choices with { Quality = quality };
        return null;
    }

    private string? SetFormat(string value)
    {
        if (!OptionValue.TryFormat(value, out var format))
        {
            return $"'format' must be keep (the default) or one of {string.Join(", ", FormatName.Known)}.";
        }

        Choices = Choices with { Format = format == "keep" ? null : format };
        return null;
    }

    private string? SetVariants(string value)
    {
        if (VariantSpec.Read(value, maxVariants, out var variants) is { } problem)
        {
            return problem;
        }

        Choices = Choices with { Variants = VariantSpec.TextOf(variants) };
        return null;
    }

    private static string? SetBound(string field, string value, Action<int> set)
    {
        if (!OptionValue.TryPixels(value, out var pixels))
        {
            return $"'{field}' must be a whole number of pixels from 1 to {CodecRequest.MaxSidePixels}; leave it out for no bound.";
        }

        set(pixels);
        return null;
    }

    private static string? SetFlag(string field, string value, Action<bool> set, bool isDefault = false)
    {
        if (!bool.TryParse(value, out var flag))
        {
            return $"'{field}' must be true or false; {(isDefault ? "true" : "false")} is the default.";
        }

        set(flag);
        return null;
    }
}
