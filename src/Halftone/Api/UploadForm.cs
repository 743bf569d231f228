using System.Text.Json;
using Halftone.Fetch;
using Halftone.Intake;

namespace Halftone.Api;

/// <summary>The parts of an upload read so far, in any order and from any kind of body: the file and its fields.</summary>
internal sealed class UploadForm(IntakeChoices choices, SafeConnect connect, int maxVariants)
{
    /// <summary>The names of <see cref="UploadFields"/> in the API.</summary>
    public static IReadOnlyList<string> Fields { get; } = [
        .. typeof(UploadFields).GetProperties().Select(field => JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name))];

    private readonly HashSet<string> given = new(StringComparer.Ordinal);

    public SpooledUpload? Upload { get; set; }

    /// <summary>The name of the file; null if none was given.</summary>
    public string? FileName { get; private set; }

    /// <summary>Hands the upload over: the form no longer discards it.</summary>
    public bool IsHandedOver { get; set; }

    public IntakeChoices Choices { get; private set; } = choices;

    /// <summary>True if the file is only checked and not kept.</summary>
    public bool ValidateOnly { get; private set; }

    /// <summary>Records that a field was given; false if it was already given in the query or the body.</summary>
    public bool TryAdd(string field) => given.Add(field);

    /// <param name="name">The file's name; an empty one is ignored.</param>
    public void SetFileName(string? name) => FileName = string.IsNullOrWhiteSpace(name) ? null : name;

    /// <summary>Sets the value of a field; an empty value is ignored.</summary>
    /// <returns>Null, or a sentence that says which values are allowed.</returns>
    public async Task<string?> SetAsync(string field, string value, CancellationToken cancellationToken) => (field, value) switch
    {
        (_, "") => null,
        ("webhook_url", _) => await SetWebhookUrlAsync(value, cancellationToken),
        ("escape_formulas", _) => SetFlag(field, value, escape => Choices = Choices with { EscapeFormulas = escape }),
        ("reuse", _) => SetFlag(field, value, reuse => Choices = Choices with { Reuse = reuse }, isDefault: true),
        ("validate_only", _) => SetFlag(field, value, only => ValidateOnly = only),
        _ => SetOutputOption(field, value),
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

    private string? SetOutputOption(string field, string value)
    {
        var problem = Choices.Outputs.Set(field, value, maxVariants, out var outputs);
        Choices = Choices with { Outputs = outputs };
        return problem;
    }

    private static string? SetFlag(string field, string value, Action<bool> set, bool isDefault = false)
    {
        if (!bool.TryParse(value, out var flag))
        {
            return $"'{field}' must be true or false. Default: {(isDefault ? "true" : "false")}.";
        }

        set(flag);
        return null;
    }
}
