using System.Text.Json;

namespace Halftone.Catalogue;

/// <summary>Why a file cannot be accepted as it is. On the wire in snake case; docs/csv.md has an example of each.</summary>
internal enum CsvProblemCode
{
    /// <summary>No bytes, or nothing but blank lines.</summary>
    EmptyFile = 1,
    /// <summary>By its first bytes another kind of file: a workbook, a picture, a web page.</summary>
    NotACsv = 2,
    /// <summary>Bytes that are no text, or not in the encoding that the file says it has.</summary>
    BadEncoding = 3,
    /// <summary>The first row holds data where the column names belong.</summary>
    NoHeader = 4,
    /// <summary>No column of image URLs.</summary>
    MissingColumn = 5,
    /// <summary>Two columns of image URLs with one name.</summary>
    DuplicateColumn = 6,
    /// <summary>A header and no rows.</summary>
    NoRows = 7,
    TooManyColumns = 8,
    TooManyRows = 9,
    TooManyImages = 10,
    RecordTooLong = 11,
    /// <summary>The file ends inside quotation marks.</summary>
    UnclosedQuote = 12,
    /// <summary>Text between a closing quotation mark and the end of the cell.</summary>
    TextAfterQuote = 13,
    /// <summary>A row with filled cells beyond the last column: mostly a comma that should stand in quotation marks.</summary>
    ExtraCells = 14,
    /// <summary>Text where an http or https URL is expected.</summary>
    InvalidUrl = 15,
    UrlTooLong = 16,
    TooManyUrls = 17,
}

/// <summary>One thing to mend in an uploaded file.</summary>
/// <param name="Line">1-based, as a text editor counts; 0 where the whole file is meant.</param>
/// <param name="Column">The name of the column as the file writes it; null where the whole line or file is meant.</param>
/// <param name="Code">The kind of problem.</param>
/// <param name="Message">A sentence or two for whoever made the file: what is wrong and what to do.</param>
internal sealed record CsvProblem(long Line, string? Column, CsvProblemCode Code, string Message);

/// <summary>The problems of one file: the first of them in full, the rest as a number.</summary>
/// <param name="maxListed">How many are kept in full.</param>
internal sealed class CsvProblems(int maxListed)
{
    private readonly List<CsvProblem> listed = [];

    /// <summary>The first problems, in file order.</summary>
    public IReadOnlyList<CsvProblem> Listed => listed;

    /// <summary>All problems, listed or not.</summary>
    public long Count { get; private set; }

    public void Add(CsvProblem problem)
    {
        Count++;
        if (listed.Count < maxListed)
        {
            listed.Add(problem);
        }
    }

    /// <summary>The word of a code on the wire, such as <c>invalid_url</c>.</summary>
    public static string Word(CsvProblemCode code) => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString());

    /// <summary>A piece of the file for a message: one line, at most 80 characters, in quotation marks.</summary>
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
