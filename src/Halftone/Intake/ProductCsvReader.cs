using System.Diagnostics;
using System.Runtime.CompilerServices;
using Halftone.Catalogue;
using Halftone.Csv;

namespace Halftone.Intake;

/// <summary>
/// Reads a spooled CSV of products once, for checking and for inserting. Returns rows as they are read and collects
/// problems; a file with a problem is refused as a whole after its last row.
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

    /// <summary>Null if the file is not readable text.</summary>
    public CsvDialect? Dialect { get; }

    /// <summary>Null if the file has no header.</summary>
    public CsvColumns? Columns { get; }

    /// <summary>Problems found so far; complete when <see cref="ReadRowsAsync"/> has finished.</summary>
    public CsvProblems Problems { get; }

    /// <summary>Product rows so far, including those with problems.</summary>
    public long Rows { get; private set; }

    /// <summary>Image URLs so far.</summary>
    public long Images { get; private set; }

    /// <summary>Detects the dialect and reads the header.</summary>
    /// <param name="spooled">The whole file, seekable; must stay open until the rows are read.</param>
    /// <param name="options">The limits.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>Always a reader. If the file has problems, its <see cref="Problems"/> list them and it has no rows.</returns>
    public static async Task<ProductCsvReader> OpenAsync(Stream spooled, IntakeOptions options, CancellationToken cancellationToken)
    {
        if (await FileKind.CheckAsync(spooled, cancellationToken) is { } otherKind)
        {
            return Unread(otherKind, options);
        }

        return await CsvDetection.DetectAsync(spooled, options.CsvLimits, CsvColumns.Score, cancellationToken) switch
        {
            CsvDetected.Found found => await ReopenAsync(spooled, found.Dialect, options, cancellationToken),
            CsvDetected.Broken broken => Unread(CsvProblemText.BadEncoding(broken), options),
            _ => throw new UnreachableException(),
        };
    }

    private static ProductCsvReader Unread(CsvProblem problem, IntakeOptions options)
    {
        var problems = new CsvProblems(options.MaxListedProblems);
        problems.Add(problem);
        return new ProductCsvReader(options, null, null, null, problems);
    }

    /// <summary>
    /// Reads the header of a file whose dialect is known, which saves a pass over all its bytes; otherwise like
    /// <see cref="OpenAsync"/>.
    /// </summary>
    public static async Task<ProductCsvReader> ReopenAsync(
        Stream spooled,
        CsvDialect dialect,
        IntakeOptions options,
        CancellationToken cancellationToken)
    {
        var problems = new CsvProblems(options.MaxListedProblems);
        var scanner = CsvScanner.Open(spooled, dialect, options.CsvLimits);
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

    /// <summary>The product rows in file order. Skips rows with a problem and continues, to find the next problem.</summary>
    /// <remarks>A reader can read its file only once: call this or <see cref="CheckRowsAsync"/>.</remarks>
    public async IAsyncEnumerable<ProductRow> ReadRowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var urls = new List<string>();
        while (await NextRowAsync(cancellationToken))
        {
            urls.Clear();
            if (CheckRow(urls))
            {
                yield return new ProductRow(scanner!.Line, Text(Columns!.SerialIndex), Text(Columns.NameIndex), urls.ToArray());
            }
        }
    }

    /// <summary>Finds the problems of all rows and counts rows and images, without creating them.</summary>
    public async Task CheckRowsAsync(CancellationToken cancellationToken)
    {
        while (await NextRowAsync(cancellationToken))
        {
            CheckRow(urls: null);
        }
    }

    /// <summary>Moves to the next product row; false at the end, or if the file cannot be read further.</summary>
    private async ValueTask<bool> NextRowAsync(CancellationToken cancellationToken)
    {
        if (scanner is null)
        {
            return false;
        }

        if (Images > options.MaxImages)
        {
            Problems.Add(CsvProblemText.TooManyImages(scanner.Line, options));
            return false;
        }

        CsvScan scan;
        do
        {
            scan = await scanner.ReadAsync(cancellationToken);
        }
        while (scan == CsvScan.Record && scanner.Kind != CsvRecordKind.Row);

        if (scan == CsvScan.Record && ++Rows <= options.MaxRows)
        {
            return true;
        }

        if (scan == CsvScan.Record)
        {
            Problems.Add(CsvProblemText.TooManyRows(scanner.Line, options));
        }
        else if (scan != CsvScan.End)
        {
            Problems.Add(CsvProblemText.Unreadable(scan, scanner, options));
        }
        else if (Rows == 0)
        {
            Problems.Add(CsvProblemText.NoRows());
        }

        return false;
    }

    private static void CheckHeader(CsvScanner scanner, CsvColumns columns, CsvProblems problems)
    {
        CheckQuotes(scanner, columns, problems);
        if (columns.UrlIndex < 0)
        {
            var isData = columns.Names.Any(name =>
                name.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
                    || name.StartsWith("https://", StringComparison.OrdinalIgnoreCase));
            problems.Add(isData ? CsvProblemText.NoHeader(scanner.Line) : CsvProblemText.MissingColumn(scanner.Line, columns));
        }
        else if (columns.SecondUrlIndex >= 0)
        {
            problems.Add(CsvProblemText.DuplicateColumn(scanner.Line, columns));
        }
    }

    /// <summary>True if the current row has no problem. Adds its URLs to <paramref name="urls"/> unless that is null.</summary>
    private bool CheckRow(List<string>? urls)
    {
        var problemsBefore = Problems.Count;
        CheckQuotes(scanner!, Columns!, Problems);
        CheckExtraCells();
        if (Problems.Count == problemsBefore)
        {
            CheckUrls(urls);
        }

        return Problems.Count == problemsBefore;
    }

    private string Text(int index) => index < 0 || index >= scanner!.CellCount ? "" : CsvText.Read(scanner, index, Dialect!);

    private void CheckUrls(List<string>? urls)
    {
        var column = Columns!.UrlIndex;
        if (column >= scanner!.CellCount)
        {
            return;
        }

        ReadOnlySpan<char> rest = CsvText.Read(scanner, column, Dialect!, ref cell);
        var count = 0;
        for (var piece = ImageUrlCell.Next(ref rest); !piece.IsEmpty; piece = ImageUrlCell.Next(ref rest))
        {
            if (++count > options.MaxUrlsPerRow)
            {
                Problems.Add(CsvProblemText.TooManyUrls(scanner.Line, Columns.Title(column), options));
                return;
            }

            Images++;
            if (CheckUrl(piece))
            {
                urls?.Add(piece.ToString());
            }
        }
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

    /// <summary>Empty cells beyond the header are leftovers of spreadsheets; filled ones mean that the row was split wrongly.</summary>
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
