using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>
/// A Cloudinary account for output images, through its upload API. In use when <see cref="CloudName"/> is set; uploads and results stay in the data
/// folder or in the bucket of <c>Store:S3</c>.
/// </summary>
internal sealed partial class CloudinaryOptions : IValidatableObject
{
    public const string Section = "Store:Cloudinary";

    /// <summary>The account's cloud name; default empty: not used.</summary>
    public string CloudName { get; set; } = "";

    /// <summary>API key.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>API secret; signs every call and is never sent.</summary>
    public string ApiSecret { get; set; } = "";

    /// <summary>
    /// What every public id begins with, such as <c>shop/halftone/</c>: letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>/</c>; default empty. Each
    /// database needs a prefix or an account of its own.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>Where calls go; another region's or a proxy's address; <c>https://api.cloudinary.com</c>.</summary>
    [Required]
    public string ApiUrl { get; set; } = "https://api.cloudinary.com";

    /// <summary>What public URLs begin with, before the cloud name; <c>https://res.cloudinary.com</c>.</summary>
    [Required]
    public string DeliveryUrl { get; set; } = "https://res.cloudinary.com";

    public bool IsUsed => CloudName.Length > 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsUsed && (ApiKey.Length == 0 || ApiSecret.Length == 0))
        {
            yield return new("Store:Cloudinary:ApiKey and Store:Cloudinary:ApiSecret go with Store:Cloudinary:CloudName.", [nameof(ApiSecret)]);
        }

        if (!Names().IsMatch(CloudName))
        {
            yield return new($"'{CloudName}': letters, digits, '-' and '_' are allowed.", [nameof(CloudName)]);
        }

        if (!Prefixes().IsMatch(Prefix))
        {
            yield return new($"'{Prefix}': letters, digits, '-', '_', '.' and '/' are allowed, not beginning with '/'.", [nameof(Prefix)]);
        }

        foreach (var (name, value) in new[] { (nameof(ApiUrl), ApiUrl), (nameof(DeliveryUrl), DeliveryUrl) })
        {
            if (!Uri.TryCreate(value, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            {
                yield return new($"'{value}': an absolute http or https URL is allowed.", [name]);
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
