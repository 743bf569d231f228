using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Halftone.Store;

/// <summary>
/// An S3 bucket for uploads, results and images, on Amazon or any server with the same API (Ceph RGW, MinIO, R2). Used
/// if <see cref="Bucket"/> is set. Without <see cref="AccessKeyId"/>, the credentials come from where the AWS SDK looks
/// for them: environment, profile, or the role of the machine.
/// </summary>
internal sealed partial class S3Options : IValidatableObject
{
    public const string Section = "Store:S3";

    /// <summary>Name of the bucket; it must exist. Default: empty, which means files and images are stored in the data folder.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>Region of the bucket, also part of every signature; <c>us-east-1</c>.</summary>
    [Required]
    public string Region { get; set; } = "us-east-1";

    /// <summary>URL of the server, such as <c>https://s3.example.com</c>. Default: empty, which means Amazon's for the region.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>
    /// Prefix of every key, such as <c>halftone/</c>: letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>/</c>.
    /// Default: empty. Each database needs its own prefix or bucket.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>True to put the bucket in the path instead of the host name. Default: true if <see cref="Endpoint"/> is set.</summary>
    public bool? PathStyle { get; set; }

    /// <summary>Access key. Default: empty, which means the AWS SDK finds one.</summary>
    public string AccessKeyId { get; set; } = "";

    /// <summary>The secret of <see cref="AccessKeyId"/>.</summary>
    public string SecretAccessKey { get; set; } = "";

    /// <summary>
    /// Base of the images' public URLs, such as <c>https://cdn.example.com</c>, before prefix and key; the bucket, or a
    /// CDN in front of it, must be publicly readable. Default: empty, which means Halftone serves images under
    /// <c>/images/</c>, or uses <see cref="LinkLifetime"/>.
    /// </summary>
    public string PublicBaseUrl { get; set; } = "";

    /// <summary>
    /// Lifetime of links to images, 1 minute to 7 days (the maximum in S3): each answer and result file then contains
    /// presigned links, which expire after this time. Default: unset, which means no presigned links.
    /// </summary>
    public TimeSpan? LinkLifetime { get; set; }

    /// <summary>
    /// Maximum silence of a call, with nothing sent or received, before the bucket counts as unavailable: 1 second to
    /// 10 minutes; 20 seconds. While bytes move, a call may take any time. A line slower than 2 Mbit/s needs more, or a
    /// smaller <c>Queue:Prefetch</c>.
    /// </summary>
    internal TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);

    public bool IsUsed => Bucket.Length > 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint.Length > 0 && !IsHttp(Endpoint))
        {
            yield return new($"'{Endpoint}' is not valid; it must be an absolute http or https URL, or empty.", [nameof(Endpoint)]);
        }

        if (PublicBaseUrl.Length > 0 && !IsHttp(PublicBaseUrl))
        {
            yield return new(
                $"'{PublicBaseUrl}' is not valid; it must be an absolute http or https URL, or empty.",
                [nameof(PublicBaseUrl)]);
        }

        if (!Prefixes().IsMatch(Prefix))
        {
            yield return new(
                $"'{Prefix}' is not valid; use letters, digits, '-', '_', '.' and '/', and do not start with '/'.",
                [nameof(Prefix)]);
        }

        if (LinkLifetime is { } lifetime && (lifetime < TimeSpan.FromMinutes(1) || lifetime > TimeSpan.FromDays(7)))
        {
            yield return new($"{lifetime} is not valid; it must be 00:01:00 to 7.00:00:00.", [nameof(LinkLifetime)]);
        }


        if (LinkLifetime is not null && PublicBaseUrl.Length > 0)
        {
            yield return new(
                "Links can be public (Store:S3:PublicBaseUrl) or presigned (Store:S3:LinkLifetime), but not both.",
                [nameof(LinkLifetime)]);
        }

        if ((AccessKeyId.Length == 0) != (SecretAccessKey.Length == 0))
        {
            yield return new("Store:S3:AccessKeyId and Store:S3:SecretAccessKey must be set together.", [nameof(SecretAccessKey)]);
        }
    }

    private static bool IsHttp(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";

    [GeneratedRegex("^([A-Za-z0-9_-][A-Za-z0-9_./-]*)?$")]
    private static partial Regex Prefixes();
}

[OptionsValidator]
internal sealed partial class S3OptionsValidator : IValidateOptions<S3Options>;
