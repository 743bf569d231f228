using System.Diagnostics;
using System.Globalization;
using Halftone.Catalogue;
using Halftone.Csv;

namespace Halftone.Intake;

/// <summary>Messages about problems of a whole file or a row: the problem, then the fix.</summary>
internal static class CsvProblemText
{
    public static CsvProblem OnlyBlankLines() => new(
        0,
        null,
        CsvProblemCode.EmptyFile,
        "The file contains only blank lines. Check that the export had finished, and upload it again.");

    public static CsvProblem EmptyFile() => new(
        0,
        null,
        CsvProblemCode.EmptyFile,
        "The file is empty. Check that the export had finished, and upload it again.");

    public static CsvProblem BadEncoding(CsvDetected.Broken broken) => new(
        broken.Line,
        null,
        CsvProblemCode.BadEncoding,
        broken.Fault switch
        {
            CsvFault.ZeroByte =>
                $"Line {broken.Line} contains zero bytes, so it is not text. Save the file again as “CSV UTF-8” and upload that.",
            CsvFault.BrokenUtf8 =>
                $"The file is marked as UTF-8, but line {broken.Line} contains an invalid byte. Save the file again as “CSV UTF-8” "
                + "and upload that.",
            CsvFault.BrokenUtf16 =>
                $"The file is marked as UTF-16, but line {broken.Line} contains half a character. Save the file again as “CSV UTF-8” "
                + "and upload that.",
            _ => throw new UnreachableException(),
        });

    public static CsvProblem NoHeader(long line) => new(
        line,
        null,
        CsvProblemCode.NoHeader,
        $"Line {line} should contain the column names, but contains an image URL. Insert a line such as “S. No.,Product "
        + $"Name,{CsvColumns.UrlNames[0]}” above it.");

    public static CsvProblem MissingColumn(long line, CsvColumns columns)
    {
        var near = columns.NearMiss();
        var remedy = near >= 0
            ? $"If {CsvProblems.Excerpt(columns.Names[near])} is the column with the image URLs, "
                + $"rename it to “{CsvColumns.UrlNames[0]}”."
            : $"Name the column with the image URLs “{CsvColumns.UrlNames[0]}”.";
        var found = string.Join(", ", columns.Names.Take(MostNames).Select(name => CsvProblems.Excerpt(name)));
        var more = columns.Names.Count > MostNames ? $" and {columns.Names.Count - MostNames} more" : "";
        return new(line, null, CsvProblemCode.MissingColumn,
            $"No column with image URLs. {remedy} Found: {found}{more}. Accepted: {string.Join(", ", CsvColumns.UrlNames)}.");
    }

    public static CsvProblem DuplicateColumn(long line, CsvColumns columns) => new(
        line,
        columns.Title(columns.SecondUrlIndex),
        CsvProblemCode.DuplicateColumn,
        $"Columns {columns.UrlIndex + 1} and {columns.SecondUrlIndex + 1} have the same name, "
        + $"{CsvProblems.Excerpt(columns.Names[columns.UrlIndex])}. Rename or delete one of them.");

    public static CsvProblem NoRows() => new(
        0,
        null,
        CsvProblemCode.NoRows,
        "The file has column names but no products below them. Check that the export had finished, and upload it again.");

    public static CsvProblem TooManyRows(long line, IntakeOptions options) => new(
        line,
        null,
        CsvProblemCode.TooManyRows,
        $"The file has more than {Number(options.MaxRows)} products. Split it into several files.");

    public static CsvProblem TooManyImages(long line, IntakeOptions options) => new(
        line,
        null,
        CsvProblemCode.TooManyImages,
        $"The file has more than {Number(options.MaxImages)} image URLs. Split it into several files.");

    public static CsvProblem TooManyUrls(long line, string column, IntakeOptions options) => new(
        line,
        column,
        CsvProblemCode.TooManyUrls,
        $"The cell has more than {Number(options.MaxUrlsPerRow)} image URLs. Split them over several rows.");

    public static CsvProblem UrlTooLong(long line, string column, int length, IntakeOptions options) => new(
        line,
        column,
        CsvProblemCode.UrlTooLong,
        $"An image URL has {Number(length)} characters; at most {Number(options.MaxUrlChars)} are allowed. Check that the cell "
        + "contains nothing else.");

    public static CsvProblem TextAfterQuote(long line, string? column) => new(
        line,
        column,
        CsvProblemCode.TextAfterQuote,
        "There is text after the closing quotation mark of a cell. Double each quotation mark inside a cell (\"\"), or delete the text.");

    public static CsvProblem ExtraCells(long line, int cells, CsvColumns columns, CsvDialect dialect) => new(
        line,
        null,
        CsvProblemCode.ExtraCells,
        $"The row has {cells} cells, but there are {columns.Names.Count} columns. Put cells that contain a {dialect.DelimiterWord} in "
        + "quotation marks"
        + (columns.UrlIndex == columns.Names.Count - 1 ? ", including a list of image URLs." : "."));

    /// <summary>A record that could not be read to its end.</summary>
    public static CsvProblem Unreadable(CsvScan scan, CsvScanner scanner, IntakeOptions options) => scan switch
    {
        CsvScan.UnclosedQuote => new(
            scanner.QuoteLine,
            null,
            CsvProblemCode.UnclosedQuote,
            $"A quotation mark opens a cell on line {scanner.QuoteLine} and is never closed. Close it, or double it (\"\") if it is "
            + "part of the text."),
        CsvScan.RecordTooLong when scanner.QuoteLine > 0 => new(
            scanner.Line,
            null,
            CsvProblemCode.RecordTooLong,
            $"The row that starts on line {scanner.Line} is longer than {Number(options.MaxRecordBytes)} bytes. The quotation mark "
            + $"that opens a cell on line {scanner.QuoteLine} is probably never closed."),
        CsvScan.RecordTooLong => new(
            scanner.Line,
            null,
            CsvProblemCode.RecordTooLong,
            $"Line {scanner.Line} is longer than {Number(options.MaxRecordBytes)} bytes. Check that this is a CSV with one line per "
            + "product."),
        CsvScan.TooManyColumns => new(
            scanner.Line,
            null,
            CsvProblemCode.TooManyColumns,
            $"Line {scanner.Line} has more than {Number(options.MaxColumns)} cells. Check that this is a CSV with one line per product."),
        _ => throw new ArgumentOutOfRangeException(nameof(scan), scan, "Not a failure."),
    };

    private const int MostNames = 30;

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
