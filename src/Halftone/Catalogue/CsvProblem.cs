using System.Text.Json;

namespace Halftone.Catalogue;

/// <summary>Reasons why a file is refused, in snake case in the API; docs/csv.md has an example of each.</summary>
internal enum CsvProblemCode
{
    /// <summary>No bytes, or only blank lines.</summary>
    EmptyFile = 1,
    /// <summary>Another kind of file according to its first bytes: a workbook, an image, a web page.</summary>
    NotACsv = 2,
    /// <summary>Bytes that are not text, or not in the encoding that the file is marked with.</summary>
    BadEncoding = 3,
    /// <summary>The first row contains data instead of column names.</summary>
    NoHeader = 4,
    /// <summary>No column of image URLs.</summary>
    MissingColumn = 5,
    /// <summary>Two columns of image URLs with the same name.</summary>
    DuplicateColumn = 6,
    /// <summary>A header without rows.</summary>
    NoRows = 7,
    TooManyColumns = 8,
    TooManyRows = 9,
    TooManyImages = 10,
    RecordTooLong = 11,
    /// <summary>The file ends inside quotation marks.</summary>
    UnclosedQuote = 12,
    /// <summary>Text between a closing quotation mark and the end of the cell.</summary>
    TextAfterQuote = 13,
    /// <summary>A row with filled cells beyond the last column, usually caused by a comma that should be in quotation marks.</summary>
    ExtraCells = 14,
    /// <summary>Text where an http or https URL is expected.</summary>
    InvalidUrl = 15,
    UrlTooLong = 16,
    TooManyUrls = 17,
}

/// <summary>One problem to fix in an uploaded file.</summary>
/// <param name="Line">1-based, as in a text editor; 0 if the problem is about the whole file.</param>
/// <param name="Column">The name of the column as written; null if the problem is about the whole line or file.</param>
/// <param name="Code">The kind of problem.</param>
/// <param name="Message">One or two sentences for the author of the file: the problem and its fix.</param>
internal sealed record CsvProblem(long Line, string? Column, CsvProblemCode Code, string Message);

/// <summary>The problems of one file: the first ones in full, the rest as a number.</summary>
/// <param name="maxListed">Number of problems kept in full.</param>
internal sealed class CsvProblems(int maxListed)
{
    private readonly List<CsvProblem> listed = [];

    /// <summary>The first problems, in file order.</summary>
    public IReadOnlyList<CsvProblem> Listed => listed;

    /// <summary>Number of all problems, listed or not.</summary>
    public long Count { get; private set; }

    public void Add(CsvProblem problem)
    {
        Count++;
        if (listed.Count < maxListed)
        {
            listed.Add(problem);
        }
    }

    /// <summary>The code of a problem in the API, such as <c>invalid_url</c>.</summary>
    public static string Word(CsvProblemCode code) => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString());

    /// <summary>An excerpt of the file for a message: one line, at most 80 characters, in quotation marks.</summary>
    public static string Excerpt(ReadOnlySpan<char> text)
    {
        const int MaxChars = 80;
        var shown = text.Length > MaxChars ? text[..(MaxChars - 1)] : text;
        if (shown.Length > 0 && char.IsHighSurrogate(shown[^1]))
        {
            shown = shown[..^1];
        }

        var line = string.Create(shown.Length, shown, (target, source) =>
        {
            for (var index = 0; index < source.Length; index++)
            {
                target[index] = char.IsControl(source[index]) ? ' ' : source[index];
            }
        });
        return text.Length > MaxChars ? $"“{line}…”" : $"“{line}”";
    }
}
