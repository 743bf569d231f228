using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>
/// An S3 bucket for uploads, results and images, of Amazon or of any server that speaks its protocol (Ceph RGW, MinIO, R2). In use when
/// <see cref="Bucket"/> is set. Without <see cref="AccessKeyId"/> the credentials come from where the AWS SDK looks for them: environment, profile, or
/// the role of the machine.
/// </summary>
internal sealed partial class S3Options : IValidatableObject
{
    public const string Section = "Store:S3";

    /// <summary>The bucket's name; it must exist. Default empty: files and images are kept in the data folder.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>The bucket's region, also part of every signature; <c>us-east-1</c>.</summary>
    [Required]
    public string Region { get; set; } = "us-east-1";

    /// <summary>The server's address, such as <c>https://s3.example.com</c>; default empty: Amazon's of the region.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>
    /// What every key begins with, such as <c>halftone/</c>: letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>/</c>; default empty. Each database needs a
    /// prefix or a bucket of its own.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>The bucket stands in the path and not in the host name; default: true where <see cref="Endpoint"/> is set.</summary>
    public bool? PathStyle { get; set; }

    /// <summary>Access key; default empty: where the AWS SDK finds one.</summary>
    public string AccessKeyId { get; set; } = "";

    /// <summary>The secret of <see cref="AccessKeyId"/>.</summary>
    public string SecretAccessKey { get; set; } = "";

    /// <summary>
    /// What public URLs of images begin with, such as <c>https://cdn.example.com</c>, before prefix and key; the bucket or what stands before it must
    /// let anybody read. Default empty: images are served by Halftone under <c>/images/</c>, or by <see cref="LinkLifetime"/>.
    /// </summary>
    public string PublicBaseUrl { get; set; } = "";

    /// <summary>
    /// How long links to images are good, 1 minute to 7 days (the longest that S3 signs): each answer and result file then carries presigned links,
    /// which end with it. Default unset: none.
    /// </summary>
    public TimeSpan? LinkLifetime { get; set; }

    /// <summary>
    /// How long a call may be silent, with nothing sent and nothing come, before the bucket counts as away: 1 second to 10 minutes; 20 seconds. As long as
    /// bytes move a call may take any time. A line slower than 2 Mbit/s needs longer, or a smaller <c>Queue:Prefetch</c>.
    /// </summary>
    internal TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);

    public bool IsUsed => Bucket.Length > 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint.Length > 0 && !IsHttp(Endpoint))
        {
            yield return new($"'{Endpoint}': an absolute http or https URL is allowed, or nothing.", [nameof(Endpoint)]);
        }

        if (PublicBaseUrl.Length > 0 && !IsHttp(PublicBaseUrl))
        {
            yield return new($"'{PublicBaseUrl}': an absolute http or https URL is allowed, or nothing.", [nameof(PublicBaseUrl)]);
        }

        if (!Prefixes().IsMatch(Prefix))
        {
            yield return new($"'{Prefix}': letters, digits, '-', '_', '.' and '/' are allowed, not beginning with '/'.", [nameof(Prefix)]);
        }

        if (LinkLifetime is { } lifetime && (lifetime < TimeSpan.FromMinutes(1) || lifetime > TimeSpan.FromDays(7)))
        {
            yield return new($"{lifetime}: 00:01:00 to 7.00:00:00 is allowed.", [nameof(LinkLifetime)]);
        }

        if (LinkLifetime is not null && PublicBaseUrl.Length > 0)
        {
            yield return new("Links are either public (Store:S3:PublicBaseUrl) or presigned (Store:S3:LinkLifetime), not both.", [nameof(LinkLifetime)]);
        }

        if ((AccessKeyId.Length == 0) != (SecretAccessKey.Length == 0))
        {
            yield return new("Store:S3:AccessKeyId and Store:S3:SecretAccessKey go together.", [nameof(SecretAccessKey)]);
        }
    }

    private static bool IsHttp(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";

    [GeneratedRegex("^([A-Za-z0-9_-][A-Za-z0-9_./-]*)?$")]
    private static partial Regex Prefixes();
}

[OptionsValidator]
internal sealed partial class S3OptionsValidator : IValidateOptions<S3Options>;
