using System.Globalization;
using System.Text;
using Halftone.Catalogue;
using Halftone.Csv;

namespace Halftone.Results;

/// <summary>
/// Writes the result: the uploaded file with the outcome of its images. Rows, order, columns, quoting, line endings,
/// encoding and byte order mark stay unchanged, byte for byte; our cells are added after the last column, or replace
/// those columns if the file already has them.
/// </summary>
internal static class ResultCsv
{
    /// <param name="spooled">The uploaded file, seekable; not closed here.</param>
    /// <param name="dialect">The dialect stored when it was accepted.</param>
    /// <param name="destination">Receives the result; flushed, not closed.</param>
    /// <param name="outcomes">One per image of the file, in file order.</param>
    /// <param name="variants">Names of the requested variants: one column for each, after that of the outputs.</param>
    /// <param name="escapeFormulas">Guards all other cells with <see cref="FormulaGuard"/>, which changes the cells it guards.</param>
    /// <param name="cancellationToken">Stops writing; an unfinished file is not a result.</param>
    /// <exception cref="InvalidDataException">The spooled file is not the one that was accepted, or the outcomes do not
    /// match its rows.</exception>
    public static async Task WriteAsync(
        Stream spooled,
        CsvDialect dialect,
        Stream destination,
        IAsyncEnumerable<ImageOutcome> outcomes,
        IReadOnlyList<string> variants,
        bool escapeFormulas,
        CancellationToken cancellationToken)
    {
        var scanner = CsvScanner.Reopen(spooled, dialect);
        await using var byRow = new OutcomesByRow(outcomes, cancellationToken);
        await using var output = await CsvWriter.BeginAsync(destination, dialect, cancellationToken);
        var writer = new RecordWriter(scanner, output, dialect, variants, escapeFormulas);
        var row = new List<ImageOutcome>();
        while (await scanner.ReadRecordAsync(cancellationToken))
        {
            switch (scanner.Kind)
            {
                case CsvRecordKind.Header:
                    writer.WriteHeader();
                    break;
                case CsvRecordKind.Row:
                    await byRow.TakeAsync(scanner.Line, row);
                    writer.WriteRow(row);
                    break;
                default:
                    output.Write(scanner.Bytes);
                    break;
            }

            await output.FlushIfLargeAsync(cancellationToken);
        }

        await byRow.ExpectEndAsync();
        await output.FlushAsync(cancellationToken);
    }

    /// <summary>URLs of a row's images: the n-th in the n-th place, and an empty place for an image without one.</summary>
    private static string UrlsOf(List<ImageOutcome> row, StringBuilder cell, Func<ImageOutcome, string?> url)
    {
        cell.Clear();
        for (var index = 0; index < row.Count; index++)
        {
            cell.Append(index > 0 ? "," : "").Append(url(row[index]));
        }

        return cell.ToString();
    }

    /// <summary>The errors of a row, each after the 1-based position of its image: <c>2: http_404; 3: not_an_image</c>.</summary>
    private static string ErrorsOf(List<ImageOutcome> row, StringBuilder cell)
    {
        cell.Clear();
        for (var index = 0; index < row.Count; index++)
        {
            if (row[index].Error is { } error)
            {
                cell.Append(cell.Length > 0 ? "; " : "").Append(CultureInfo.InvariantCulture, $"{index + 1}: {error}");
            }
        }

        return cell.ToString();
    }

    /// <summary>Writes the current record of the scanner with our cells.</summary>
    private sealed class RecordWriter(
        CsvScanner scanner,
        CsvWriter output,
        CsvDialect dialect,
        IReadOnlyList<string> variants,
        bool escapeFormulas)
    {
        private readonly StringBuilder cell = new();

        /// <summary>Our columns in order: outputs, each variant, errors.</summary>
        private readonly string[] cells = new string[variants.Count + 2];

        /// <summary>For each column of the file, the index of our column; -1 for other columns.</summary>
        private int[] ours = [];

        /// <summary>Our columns that the file does not have.</summary>
        private int[] missing = [];

        public void WriteHeader()
        {
            var header = CsvColumns.Read(scanner, dialect);
            ours = [.. Enumerable.Range(0, header.Names.Count).Select(index => OursAt(header, index))];
            missing = [.. Enumerable.Range(0, cells.Length).Except(ours)];
            (cells[0], cells[^1]) = (CsvColumns.OutputName, CsvColumns.ErrorsName);
            foreach (var (index, variant) in variants.Index())
            {
                cells[index + 1] = CsvColumns.VariantName(variant);
            }

            // A name that already exists stays as written.
            Write(replace: false);
        }

        public void WriteRow(List<ImageOutcome> row)
        {
            cells[0] = UrlsOf(row, cell, static outcome => outcome.OutputUrl);
            cells[^1] = ErrorsOf(row, cell);
            for (var index = 0; index < variants.Count; index++)
            {
                cells[index + 1] = UrlsOf(row, cell, outcome => outcome.VariantUrls?[index]);
            }

            Write(replace: true);
        }

        private int OursAt(CsvColumns header, int index)
        {
            if (header.IsOutput(index))
            {
                return 0;
            }

            if (header.IsErrors(index))
            {
                return cells.Length - 1;
            }

            for (var variant = 0; variant < variants.Count; variant++)
            {
                if (header.IsVariant(index, variants[variant]))
                {
                    return variant + 1;
                }
            }

            return -1;
        }

        private void Write(bool replace)
        {
            // A short row is padded so that our cells are under their column names.
            var needed = missing.Length > 0 ? ours.Length : Array.FindLastIndex(ours, place => place >= 0) + 1;
            var total = Math.Max(scanner.CellCount, needed);
            for (var index = 0; index < total; index++)
            {
                if (index > 0)
                {
                    output.WriteDelimiter();
                }

                if (replace && index < ours.Length && ours[index] >= 0)
                {
                    output.WriteCell(cells[ours[index]]);
                }
                else if (index < scanner.CellCount)
                {
                    WriteAsItCame(index);
                }

                if (index == ours.Length - 1)
                {
                    AppendMissing();
                }
            }

            output.Write(scanner.Bytes[scanner.Cells[^1].End..]);
        }

        private void AppendMissing()
        {
            foreach (var index in missing)
            {
                output.WriteDelimiter();
                output.WriteCell(cells[index]);
            }
        }

        private void WriteAsItCame(int index)
        {
            var cell = scanner.Cells[index];
            var raw = scanner.Bytes[cell.Start..cell.End];
            if (escapeFormulas && FormulaGuard.IsFormula(scanner.RawValue(index), dialect.Encoding))
            {
                FormulaGuard.Write(raw, (cell.Form & CsvCellForm.Quoted) != 0, output);
            }
            else
            {
                output.Write(raw);
            }
        }
    }
}
