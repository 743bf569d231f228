namespace Halftone.Intake;

/// <summary>The answer to an upload.</summary>
internal sealed record UploadAccepted
{
    public required Guid RequestId { get; init; }

    public required string Status { get; init; }

    public required string StatusUrl { get; init; }

    /// <summary>Product rows in the file.</summary>
    public required long Products { get; init; }

    /// <summary>Image URLs in the file.</summary>
    public required long Images { get; init; }
}

/// <summary>The answer to an upload with <c>validate_only</c>: what would happen, and nothing was kept.</summary>
internal sealed record UploadChecked
{
    /// <summary>True where the file would be accepted.</summary>
    public required bool Valid { get; init; }

    /// <summary>Such as <c>utf-8 comma</c>; absent where the file is no text.</summary>
    public string? Dialect { get; init; }

    /// <summary>The columns that were recognised, by the name that the file gives them.</summary>
    public UploadColumns? Columns { get; init; }

    public required long Products { get; init; }

    public required long Images { get; init; }

    /// <summary>Hosts of the image URLs, the most frequent first; 100 at most.</summary>
    public required IReadOnlyList<Status.StatusHostCount> Hosts { get; init; }

    /// <summary>The first problems, 100 at most.</summary>
    public required IReadOnlyList<UploadProblem> Errors { get; init; }

    /// <summary>All of them.</summary>
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

internal sealed record UploadColumns
{
    public string? SerialNumber { get; init; }

    public string? ProductName { get; init; }

    public string? ImageUrls { get; init; }

    /// <summary>Every column of the file, in its order.</summary>
    public required IReadOnlyList<string> All { get; init; }
}

/// <summary>One thing that is wrong with an upload.</summary>
internal sealed record UploadProblem
{
    /// <summary>Line of the CSV, from 1; absent where the whole file is meant.</summary>
    public long? Line { get; init; }

    /// <summary>The column's header as written; absent where the whole line or file is meant.</summary>
    public string? Column { get; init; }

    public required string Code { get; init; }

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
