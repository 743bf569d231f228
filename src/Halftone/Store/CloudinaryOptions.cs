using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>
/// A Cloudinary account for output images, through its upload API. Used if <see cref="CloudName"/> is set; uploads and
/// results stay in the data folder or in the bucket of <c>Store:S3</c>.
/// </summary>
internal sealed partial class CloudinaryOptions : IValidatableObject
{
    public const string Section = "Store:Cloudinary";

    /// <summary>Cloud name of the account. Default: empty, which means not used.</summary>
    public string CloudName { get; set; } = "";

    /// <summary>API key.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>API secret; signs every call and is never sent.</summary>
    public string ApiSecret { get; set; } = "";

    /// <summary>
    /// Prefix of every public ID, such as <c>shop/halftone/</c>: letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and
    /// <c>/</c>. Default: empty. Each database needs its own prefix or account.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>URL of the API, for another region or a proxy; <c>https://api.cloudinary.com</c>.</summary>
    [Required]
    public string ApiUrl { get; set; } = "https://api.cloudinary.com";

    /// <summary>Base of public URLs, before the cloud name; <c>https://res.cloudinary.com</c>.</summary>
    [Required]
    public string DeliveryUrl { get; set; } = "https://res.cloudinary.com";

    public bool IsUsed => CloudName.Length > 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsUsed && (ApiKey.Length == 0 || ApiSecret.Length == 0))
        {
            yield return new(
                "Store:Cloudinary:ApiKey and Store:Cloudinary:ApiSecret are required with Store:Cloudinary:CloudName.",
                [nameof(ApiSecret)]);
        }

        if (!Names().IsMatch(CloudName))
        {
            yield return new($"'{CloudName}' is not valid; use letters, digits, '-' and '_'.", [nameof(CloudName)]);
        }

        if (!Prefixes().IsMatch(Prefix))
        {
            yield return new(
                $"'{Prefix}' is not valid; use letters, digits, '-', '_', '.' and '/', and do not start with '/'.",
                [nameof(Prefix)]);
        }

        foreach (var (name, value) in new[] { (nameof(ApiUrl), ApiUrl), (nameof(DeliveryUrl), DeliveryUrl) })
        {
            if (!Uri.TryCreate(value, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            {
                yield return new($"'{value}' is not valid; it must be an absolute http or https URL.", [name]);
            }
        }
    }

    [GeneratedRegex("^[A-Za-z0-9_-]*$")]
    private static partial Regex Names();

    [GeneratedRegex("^([A-Za-z0-9_-][A-Za-z0-9_./-]*)?$")]
    private static partial Regex Prefixes();
}

[OptionsValidator]
internal sealed partial class CloudinaryOptionsValidator : IValidateOptions<CloudinaryOptions>;
