using System.Runtime.CompilerServices;

namespace Halftone.Intake;

/// <summary>
/// Reads a spooled CSV of products once, for checking and inserting alike: rows come as they are read, problems collect beside them, and a
/// file with a problem is refused as a whole when its rows are through.
/// </summary>
internal sealed class ProductCsvReader
{
    private readonly CsvScanner? scanner;
    private readonly IntakeOptions options;
    private char[] cell = new char[1_024];

    private ProductCsvReader(IntakeOptions options, CsvDialect? dialect, CsvScanner? scanner, CsvColumns? columns, CsvProblems problems)
    {
        this.options = options;
        this.scanner = scanner;
        Dialect = dialect;
        Columns = columns;
        Problems = problems;
    }

    /// <summary>Null where the file is no text that can be read.</summary>
    public CsvDialect? Dialect { get; }

    /// <summary>Null where the file has no header.</summary>
    public CsvColumns? Columns { get; }

    /// <summary>What is wrong with the file so far; complete when <see cref="ReadRowsAsync"/> is through.</summary>
    public CsvProblems Problems { get; }

    /// <summary>Product rows so far, those with problems included.</summary>
    public long Rows { get; private set; }

    /// <summary>Image URLs so far.</summary>
    public long Images { get; private set; }

    /// <summary>Finds the dialect and reads the header.</summary>
    /// <param name="spooled">The whole file, seekable; stays open, and must until the rows are read.</param>
    /// <param name="options">The limits.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>A reader in any case; what is wrong stands in its <see cref="Problems"/>, and then it has no rows.</returns>
    public static async Task<ProductCsvReader> OpenAsync(Stream spooled, IntakeOptions options, CancellationToken cancellationToken)
    {
        var problems = new CsvProblems(options.MaxListedProblems);
        var (dialect, problem) = await CsvDetection.DetectAsync(spooled, options, cancellationToken);
        if (dialect is null)
        {
            problems.Add(problem!);
            return new ProductCsvReader(options, null, null, null, problems);
        }

        var scanner = CsvScanner.Open(spooled, dialect, options);
        CsvScan scan;
        do
        {
            scan = await scanner.ReadAsync(cancellationToken);
        }
        while (scan == CsvScan.Record && scanner.Kind != CsvRecordKind.Header);

        if (scan != CsvScan.Record)
        {
            problems.Add(scan == CsvScan.End ? CsvProblemText.OnlyBlankLines() : CsvProblemText.Unreadable(scan, scanner, options));
            return new ProductCsvReader(options, dialect, null, null, problems);
        }

        var columns = CsvColumns.Read(scanner, dialect);
        CheckHeader(scanner, columns, problems);
        return new ProductCsvReader(options, dialect, problems.Count == 0 ? scanner : null, columns, problems);
    }

    /// <summary>The product rows in file order; to be called once. A row with a problem is left out, and reading goes on to find the next.</summary>
    public async IAsyncEnumerable<ProductRow> ReadRowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (scanner is null)
        {
            yield break;
        }

        while (true)
        {
            var scan = await scanner.ReadAsync(cancellationToken);
            if (scan == CsvScan.End)
            {
                break;
            }

            if (scan != CsvScan.Record)
            {
                Problems.Add(CsvProblemText.Unreadable(scan, scanner, options));
                yield break;
            }

            if (scanner.Kind != CsvRecordKind.Row)
            {
                continue;
            }

            Rows++;
            if (ReadRow() is { } row)
            {
                yield return row;
            }

            if (Rows > options.MaxRows || Images > options.MaxImages)
            {
                Problems.Add(Rows > options.MaxRows ? CsvProblemText.TooManyRows(scanner.Line, options) : CsvProblemText.TooManyImages(scanner.Line, options));
                yield break;
            }
        }

        if (Rows == 0)
        {
            Problems.Add(CsvProblemText.NoRows());
        }
    }

    private static void CheckHeader(CsvScanner scanner, CsvColumns columns, CsvProblems problems)
    {
        CheckQuotes(scanner, columns, problems);
        if (columns.UrlIndex < 0)
        {
            var isData = columns.Names.Any(name => name.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || name.StartsWith("https://", StringComparison.OrdinalIgnoreCase));
            problems.Add(isData ? CsvProblemText.NoHeader(scanner.Line) : CsvProblemText.MissingColumn(scanner.Line, columns));
        }
        else if (columns.SecondUrlIndex >= 0)
        {
            problems.Add(CsvProblemText.DuplicateColumn(scanner.Line, columns));
        }
    }

    /// <summary>The row the scanner stands on; null where it has a problem.</summary>
    private ProductRow? ReadRow()
    {
        var problemsBefore = Problems.Count;
        CheckQuotes(scanner!, Columns!, Problems);
        CheckExtraCells();
        if (Problems.Count > problemsBefore)
        {
            return null;
        }

        var urls = ReadUrls();
        return Problems.Count > problemsBefore ? null : new ProductRow(scanner!.Line, Text(Columns!.SerialIndex), Text(Columns.NameIndex), urls);
    }

    private string Text(int index) => index < 0 || index >= scanner!.CellCount ? "" : CsvText.Read(scanner, index, Dialect!);

    private string[] ReadUrls()
    {
        var column = Columns!.UrlIndex;
        if (column >= scanner!.CellCount)
        {
            return [];
        }

        ReadOnlySpan<char> rest = CsvText.Read(scanner, column, Dialect!, ref cell);
        var first = ImageUrlCell.Next(ref rest);
        if (first.IsEmpty)
        {
            return [];
        }

        if (rest.IsEmpty)
        {
            Images++;
            return CheckUrl(first) ? [first.ToString()] : [];
        }

        var urls = new List<string>();
        for (var piece = first; !piece.IsEmpty; piece = ImageUrlCell.Next(ref rest))
        {
            Images++;
            if (urls.Count == options.MaxUrlsPerRow)
            {
                Problems.Add(CsvProblemText.TooManyUrls(scanner.Line, Columns.Title(column), options));
                break;
            }

            if (CheckUrl(piece))
            {
                urls.Add(piece.ToString());
            }
        }

        return [.. urls];
    }

    private bool CheckUrl(ReadOnlySpan<char> piece)
    {
        var column = Columns!.UrlIndex;
        if (piece.Length > options.MaxUrlChars)
        {
            Problems.Add(CsvProblemText.UrlTooLong(scanner!.Line, Columns.Title(column), piece.Length, options));
            return false;
        }

        if (!ImageUrlCell.IsUrl(piece))
        {
            Problems.Add(new CsvProblem(scanner!.Line, Columns.Title(column), CsvProblemCode.InvalidUrl, ImageUrlCell.Explain(piece)));
            return false;
        }

        return true;
    }

    private static void CheckQuotes(CsvScanner scanner, CsvColumns columns, CsvProblems problems)
    {
        var cells = scanner.Cells;
        for (var index = 0; index < cells.Length; index++)
        {
            if ((cells[index].Form & CsvCellForm.TextAfterQuote) != 0)
            {
                problems.Add(CsvProblemText.TextAfterQuote(scanner.Line, index < columns.Names.Count ? columns.Title(index) : null));
            }
        }
    }

    /// <summary>Empty cells beyond the header are what spreadsheets leave behind; filled ones mean that the row has come apart.</summary>
    private void CheckExtraCells()
    {
        for (var index = Columns!.Names.Count; index < scanner!.CellCount; index++)
        {
            if (scanner.RawValue(index).IndexOfAnyExcept((byte)' ', (byte)'\t') >= 0)
            {
                Problems.Add(CsvProblemText.ExtraCells(scanner.Line, scanner.CellCount, Columns, Dialect!));
                return;
            }
        }
    }
}
