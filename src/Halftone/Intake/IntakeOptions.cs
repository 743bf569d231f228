using System.ComponentModel.DataAnnotations;
using Halftone.Csv;
using Microsoft.Extensions.Options;

namespace Halftone.Intake;

/// <summary>Limits of an uploaded CSV; section <c>Intake</c>.</summary>
internal sealed class IntakeOptions
{
    public const string Section = "Intake";

    /// <summary>Longest body of an upload, in bytes; 2 GiB.</summary>
    [Range(1_024L, 1L << 40)]
    public long MaxBodyBytes { get; set; } = 2L << 30;

    /// <summary>Uploads taken in at a time, 1 to 10,000; more are answered 503 with Retry-After. 64.</summary>
    [Range(1, 10_000)]
    public int MaxUploads { get; set; } = 64;

    /// <summary>Longest record (one row, with the line breaks inside its quotes), in bytes of UTF-8; 1 MiB. It bounds the memory of a read.</summary>
    [Range(1_024, 256 * 1024 * 1024)]
    public int MaxRecordBytes { get; set; } = 1024 * 1024;

    /// <summary>Most columns; 4,096.</summary>
    [Range(1, 16_384)]
    public int MaxColumns { get; set; } = 4_096;

    /// <summary>Most product rows in a file; 10,000,000.</summary>
    [Range(1L, 1_000_000_000L)]
    public long MaxRows { get; set; } = 10_000_000;

    /// <summary>Most image URLs in a file; 20,000,000.</summary>
    [Range(1L, 1_000_000_000L)]
    public long MaxImages { get; set; } = 20_000_000;

    /// <summary>Most image URLs in one row; 500.</summary>
    [Range(1, 100_000)]
    public int MaxUrlsPerRow { get; set; } = 500;

    /// <summary>Longest image URL, in characters; 4,096.</summary>
    [Range(64, 65_536)]
    public int MaxUrlChars { get; set; } = 4_096;

    /// <summary>
    /// Most variants of an image that an upload may ask for, 1 to 12; 8. Each costs what an output of its own costs, but for the download, and all of an
    /// image must be made within the half hour that RabbitMQ waits for an answer.
    /// </summary>
    [Range(1, 12)]
    public int MaxVariants { get; set; } = 8;

    /// <summary>Problems named in an answer; the rest are counted. 100.</summary>
    internal int MaxListedProblems { get; set; } = 100;

    /// <summary>The limits that a scanner keeps.</summary>
    internal CsvLimits CsvLimits => new(MaxRecordBytes, MaxColumns);
}

[OptionsValidator]
internal sealed partial class IntakeOptionsValidator : IValidateOptions<IntakeOptions>;
