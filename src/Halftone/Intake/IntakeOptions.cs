using System.ComponentModel.DataAnnotations;
using Halftone.Csv;
using Microsoft.Extensions.Options;

namespace Halftone.Intake;

/// <summary>Limits of an uploaded CSV; section <c>Intake</c>.</summary>
internal sealed class IntakeOptions
{
    public const string Section = "Intake";

    /// <summary>Maximum size of an upload, in bytes; 2 GiB.</summary>
    [Range(1_024L, 1L << 40)]
    public long MaxBodyBytes { get; set; } = 2L << 30;

    /// <summary>Maximum concurrent uploads, 1 to 10,000; further ones are answered with 503 and Retry-After. 64.</summary>
    [Range(1, 10_000)]
    public int MaxUploads { get; set; } = 64;

    /// <summary>
    /// Maximum record length (one row, including line breaks inside quotes), in bytes of UTF-8; 1 MiB. It bounds the
    /// memory of a read.
    /// </summary>
    [Range(1_024, 256 * 1024 * 1024)]
    public int MaxRecordBytes { get; set; } = 1024 * 1024;

    /// <summary>Maximum number of columns; 4,096.</summary>
    [Range(1, 16_384)]
    public int MaxColumns { get; set; } = 4_096;

    /// <summary>Maximum product rows per file; 10,000,000.</summary>
    [Range(1L, 1_000_000_000L)]
    public long MaxRows { get; set; } = 10_000_000;

    /// <summary>Maximum image URLs per file; 20,000,000.</summary>
    [Range(1L, 1_000_000_000L)]
    public long MaxImages { get; set; } = 20_000_000;

    /// <summary>Maximum image URLs per row; 500.</summary>
    [Range(1, 100_000)]
    public int MaxUrlsPerRow { get; set; } = 500;

    /// <summary>Maximum length of an image URL, in characters; 4,096.</summary>
    [Range(64, 65_536)]
    public int MaxUrlChars { get; set; } = 4_096;

    /// <summary>
    /// Maximum variants per image, 1 to 12; 8. Each costs as much as another output, except for the download, and all
    /// variants of an image must be made within the half hour that RabbitMQ waits for an acknowledgement.
    /// </summary>
    [Range(1, 12)]
    public int MaxVariants { get; set; } = 8;

    /// <summary>Maximum problems listed in an answer; further ones are only counted. 100.</summary>
    internal int MaxListedProblems { get; set; } = 100;

    /// <summary>The limits of a scanner.</summary>
    internal CsvLimits CsvLimits => new(MaxRecordBytes, MaxColumns);
}

[OptionsValidator]
internal sealed partial class IntakeOptionsValidator : IValidateOptions<IntakeOptions>;
