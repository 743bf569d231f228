using System.ComponentModel.DataAnnotations;
using Halftone.Catalogue;
using Halftone.Requests;

namespace Halftone.Intake;

/// <summary>The answer to an upload.</summary>
internal sealed record UploadAccepted
{
    /// <summary>Names the request in every other call.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required Guid RequestId { get; init; }

    /// <summary>Where every request begins.</summary>
    /// <example>PENDING</example>
    [AllowedValues("PENDING")]
    public required string Status { get; init; }

    /// <summary>Where its status is.</summary>
    /// <example>https://halftone.example.com/status/0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required string StatusUrl { get; init; }

    /// <summary>Product rows in the file.</summary>
    /// <example>2</example>
    public required long Products { get; init; }

    /// <summary>Image URLs in the file.</summary>
    /// <example>3</example>
    public required long Images { get; init; }
}

/// <summary>The answer to an upload with <c>validate_only</c>: what would happen, and nothing was kept.</summary>
internal sealed record UploadChecked
{
    /// <summary>True where the file would be accepted.</summary>
    /// <example>true</example>
    public required bool Valid { get; init; }

    /// <summary>Encoding and delimiter, such as `utf-8 comma`; absent where the file is no text.</summary>
    /// <example>utf-8 comma</example>
    public string? Dialect { get; init; }

    /// <summary>The columns that were recognised, by the name that the file gives them; absent where there is no header.</summary>
    public UploadColumns? Columns { get; init; }

    /// <summary>Product rows in the file.</summary>
    /// <example>2</example>
    public required long Products { get; init; }

    /// <summary>Image URLs in the file.</summary>
    /// <example>3</example>
    public required long Images { get; init; }

    /// <summary>Hosts of the image URLs, the most frequent first; 100 at most.</summary>
    public required IReadOnlyList<StatusHostCount> Hosts { get; init; }

    /// <summary>The first problems, 100 at most.</summary>
    public required IReadOnlyList<UploadProblem> Errors { get; init; }

    /// <summary>All problems, listed or not.</summary>
    /// <example>0</example>
    public required long ErrorCount { get; init; }

    public static UploadChecked Of(CheckedUpload file) => new()
    {
        Valid = file.Reader.Problems.Count == 0,
        Dialect = file.Reader.Dialect?.ToString(),
        Columns = file.Reader.Columns is { } columns
            ? new UploadColumns
            {
                SerialNumber = columns.SerialIndex < 0 ? null : columns.Title(columns.SerialIndex),
                ProductName = columns.NameIndex < 0 ? null : columns.Title(columns.NameIndex),
                ImageUrls = columns.UrlIndex < 0 ? null : columns.Title(columns.UrlIndex),
                All = [.. columns.Names],
            }
            : null,
        Products = file.Reader.Rows,
        Images = file.Reader.Images,
        Hosts = file.Hosts.MostFrequent(),
        Errors = UploadProblem.Of(file.Reader.Problems),
        ErrorCount = file.Reader.Problems.Count,
    };
}

/// <summary>The columns of an uploaded file.</summary>
internal sealed record UploadColumns
{
    /// <summary>The column that is read as serial number; absent where there is none.</summary>
    /// <example>S. No.</example>
    public string? SerialNumber { get; init; }

    /// <summary>The column that is read as product name; absent where there is none.</summary>
    /// <example>Product Name</example>
    public string? ProductName { get; init; }

    /// <summary>The column that is read as image URLs; absent where there is none.</summary>
    /// <example>Input Image Urls</example>
    public string? ImageUrls { get; init; }

    /// <summary>Every column of the file, in its order.</summary>
    /// <example>["S. No.", "Product Name", "Input Image Urls"]</example>
    public required IReadOnlyList<string> All { get; init; }
}

/// <summary>One thing that is wrong with an upload.</summary>
internal sealed record UploadProblem
{
    /// <summary>Line of the CSV as a text editor counts, from 1; absent where the whole file is meant.</summary>
    /// <example>2</example>
    public long? Line { get; init; }

    /// <summary>The column's header as written; absent where the whole line or file is meant.</summary>
    /// <example>Input Image Urls</example>
    public string? Column { get; init; }

    /// <summary>What is wrong, in a word of a closed list: /docs/errors explains each.</summary>
    /// <example>invalid_url</example>
    public required string Code { get; init; }

    /// <summary>What is wrong and what to do, in a sentence or two.</summary>
    /// <example>“chair.jpg” is not a web address. Write the whole address, beginning with http:// or https://.</example>
    public required string Message { get; init; }

    public static UploadProblem[] Of(CsvProblems problems) =>
    [
        .. problems.Listed.Select(problem => new UploadProblem
        {
            Line = problem.Line == 0 ? null : problem.Line,
            Column = problem.Column,
            Code = CsvProblems.Word(problem.Code),
            Message = problem.Message,
        }),
    ];
}
