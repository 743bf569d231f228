using System.Diagnostics;
using System.Globalization;
using Halftone.Catalogue;
using Halftone.Csv;

namespace Halftone.Intake;

/// <summary>The sentences of the problems that a file as a whole or a row can have: what is wrong, then what to do.</summary>
internal static class CsvProblemText
{
    public static CsvProblem OnlyBlankLines() => new(0, null, CsvProblemCode.EmptyFile,
        "The file holds nothing but blank lines. Check that the export had finished, and upload it again.");

    public static CsvProblem EmptyFile() => new(0, null, CsvProblemCode.EmptyFile,
        "The file is empty. Check that the export had finished, and upload it again.");

    public static CsvProblem BadEncoding(CsvDetected.Broken broken) => new(broken.Line, null, CsvProblemCode.BadEncoding, broken.Fault switch
    {
        CsvFault.ZeroByte => $"Line {broken.Line} holds zero bytes, which no text has. Save the file again as “CSV UTF-8” and upload that.",
        CsvFault.BrokenUtf8 =>
            $"The file says that it is UTF-8, but line {broken.Line} holds a byte that is not. Save the file again as “CSV UTF-8” and upload that.",
        CsvFault.BrokenUtf16 =>
            $"The file says that it is UTF-16, but line {broken.Line} holds half a character. Save the file again as “CSV UTF-8” and upload that.",
        _ => throw new UnreachableException(),
    });

    public static CsvProblem NoHeader(long line) => new(line, null, CsvProblemCode.NoHeader,
        $"Line {line} should hold the column names, but holds an image address. Put a line such as “S. No.,Product Name,{CsvColumns.UrlNames[0]}” before it.");

    public static CsvProblem MissingColumn(long line, CsvColumns columns)
    {
        var near = columns.NearMiss();
        var remedy = near >= 0
            ? $"Rename the column {CsvProblems.Excerpt(columns.Names[near])} to “{CsvColumns.UrlNames[0]}” if it is the one."
            : $"Name the column with the image addresses “{CsvColumns.UrlNames[0]}”.";
        var found = string.Join(", ", columns.Names.Take(MostNames).Select(name => CsvProblems.Excerpt(name)));
        var more = columns.Names.Count > MostNames ? $" and {columns.Names.Count - MostNames} more" : "";
        return new(line, null, CsvProblemCode.MissingColumn,
            $"There is no column of image addresses. {remedy} Found: {found}{more}. Accepted: {string.Join(", ", CsvColumns.UrlNames)}.");
    }

    public static CsvProblem DuplicateColumn(long line, CsvColumns columns) => new(line, columns.Title(columns.SecondUrlIndex), CsvProblemCode.DuplicateColumn,
        $"Columns {columns.UrlIndex + 1} and {columns.SecondUrlIndex + 1} have the same name, {CsvProblems.Excerpt(columns.Names[columns.UrlIndex])}. Rename or delete one of them.");

    public static CsvProblem NoRows() => new(0, null, CsvProblemCode.NoRows,
        "The file has column names but no products below them. Check that the export had finished, and upload it again.");

    public static CsvProblem TooManyRows(long line, IntakeOptions options) => new(line, null, CsvProblemCode.TooManyRows,
        $"The file has more than {Number(options.MaxRows)} products. Split it into several files.");

    public static CsvProblem TooManyImages(long line, IntakeOptions options) => new(line, null, CsvProblemCode.TooManyImages,
        $"The file has more than {Number(options.MaxImages)} image addresses. Split it into several files.");

    public static CsvProblem TooManyUrls(long line, string column, IntakeOptions options) => new(line, column, CsvProblemCode.TooManyUrls,
        $"The cell has more than {Number(options.MaxUrlsPerRow)} image addresses. Spread them over several rows.");

    public static CsvProblem UrlTooLong(long line, string column, int length, IntakeOptions options) => new(line, column, CsvProblemCode.UrlTooLong,
        $"An image address has {Number(length)} characters; {Number(options.MaxUrlChars)} are allowed. Check that nothing else has slipped into the cell.");

    public static CsvProblem TextAfterQuote(long line, string? column) => new(line, column, CsvProblemCode.TextAfterQuote,
        "Text follows the closing quotation mark of a cell. Write a quotation mark inside a cell twice (\"\"), or delete the text.");

    public static CsvProblem ExtraCells(long line, int cells, CsvColumns columns, CsvDialect dialect) => new(line, null, CsvProblemCode.ExtraCells,
        $"The row has {cells} cells, but there are {columns.Names.Count} columns. Put a cell that holds a {dialect.DelimiterWord} in quotation marks"
        + (columns.UrlIndex == columns.Names.Count - 1 ? ", also a list of image addresses." : "."));

    /// <summary>A record that could not be read to its end.</summary>
    public static CsvProblem Unreadable(CsvScan scan, CsvScanner scanner, IntakeOptions options) => scan switch
    {
        CsvScan.UnclosedQuote => new(scanner.QuoteLine, null, CsvProblemCode.UnclosedQuote,
            $"A quotation mark opens a cell on line {scanner.QuoteLine} and none closes it. Close it, or write it twice (\"\") if it belongs to the text."),
        CsvScan.RecordTooLong when scanner.QuoteLine > 0 => new(scanner.Line, null, CsvProblemCode.RecordTooLong,
            $"The row that begins on line {scanner.Line} is longer than {Number(options.MaxRecordBytes)} bytes. Probably the quotation mark that opens a cell on line {scanner.QuoteLine} is never closed."),
        CsvScan.RecordTooLong => new(scanner.Line, null, CsvProblemCode.RecordTooLong,
            $"Line {scanner.Line} is longer than {Number(options.MaxRecordBytes)} bytes. Check that this is a CSV with a line for each product."),
        CsvScan.TooManyColumns => new(scanner.Line, null, CsvProblemCode.TooManyColumns,
            $"Line {scanner.Line} has more than {Number(options.MaxColumns)} cells. Check that this is a CSV with a line for each product."),
        _ => throw new ArgumentOutOfRangeException(nameof(scan), scan, "Not a failure."),
    };

    private const int MostNames = 30;

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
