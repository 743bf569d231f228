using System.ComponentModel.DataAnnotations;
using Halftone.Catalogue;
using Halftone.Requests;

namespace Halftone.Intake;

/// <summary>The answer to an upload.</summary>
internal sealed record UploadAccepted
{
    /// <summary>ID of the request in all other calls.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required Guid RequestId { get; init; }

    /// <summary>The first state of every request.</summary>
    /// <example>PENDING</example>
    [AllowedValues("PENDING")]
    public required string Status { get; init; }

    /// <summary>URL of its status.</summary>
    /// <example>https://halftone.example.com/status/0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required string StatusUrl { get; init; }

    /// <summary>Product rows in the file.</summary>
    /// <example>2</example>
    public required long Products { get; init; }

    /// <summary>Image URLs in the file.</summary>
    /// <example>3</example>
    public required long Images { get; init; }
}

/// <summary>The answer to an upload with <c>validate_only</c>: the outcome of the check. Nothing is kept.</summary>
internal sealed record UploadChecked
{
    /// <summary>True if the file would be accepted.</summary>
    /// <example>true</example>
    public required bool Valid { get; init; }

    /// <summary>Encoding and delimiter, such as `utf-8 comma`; absent if the file is not text.</summary>
    /// <example>utf-8 comma</example>
    public string? Dialect { get; init; }

    /// <summary>The recognised columns, by their names in the file; absent if there is no header.</summary>
    public UploadColumns? Columns { get; init; }

    /// <summary>Product rows in the file.</summary>
    /// <example>2</example>
    public required long Products { get; init; }

    /// <summary>Image URLs in the file.</summary>
    /// <example>3</example>
    public required long Images { get; init; }

    /// <summary>Hosts of the image URLs, most frequent first; at most 100.</summary>
    public required IReadOnlyList<StatusHostCount> Hosts { get; init; }

    /// <summary>The first problems, at most 100.</summary>
    public required IReadOnlyList<UploadProblem> Errors { get; init; }

    /// <summary>Number of all problems, listed or not.</summary>
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
    /// <summary>Name of the serial number column; absent if there is none.</summary>
    /// <example>S. No.</example>
    public string? SerialNumber { get; init; }

    /// <summary>Name of the product name column; absent if there is none.</summary>
    /// <example>Product Name</example>
    public string? ProductName { get; init; }

    /// <summary>Name of the image URL column; absent if there is none.</summary>
    /// <example>Input Image Urls</example>
    public string? ImageUrls { get; init; }

    /// <summary>All columns of the file, in file order.</summary>
    /// <example>["S. No.", "Product Name", "Input Image Urls"]</example>
    public required IReadOnlyList<string> All { get; init; }
}

/// <summary>One problem of an upload.</summary>
internal sealed record UploadProblem
{
    /// <summary>Line of the CSV as in a text editor, from 1; absent if the problem is about the whole file.</summary>
    /// <example>2</example>
    public long? Line { get; init; }

    /// <summary>Header of the column as written; absent if the problem is about the whole line or file.</summary>
    /// <example>Input Image Urls</example>
    public string? Column { get; init; }

    /// <summary>Code of the problem; /docs/errors explains each.</summary>
    /// <example>invalid_url</example>
    public required string Code { get; init; }

    /// <summary>The problem and its fix, in one or two sentences.</summary>
    /// <example>“chair.jpg” is not a valid URL. Write the whole URL, starting with http:// or https://.</example>
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
