using System.Globalization;
using System.Text;
using Halftone.Intake;

namespace Halftone.Results;

/// <summary>
/// The result: the uploaded file with what became of its images. Rows, order, columns, quoting, line endings, encoding and byte order mark
/// are byte for byte as they came; two cells are added behind the last column, or replaced where the file has those columns already.
/// </summary>
internal static class ResultCsv
{
    /// <param name="spooled">The uploaded file, seekable; not closed here.</param>
    /// <param name="dialect">As stored when it was accepted.</param>
    /// <param name="destination">Gets the result; flushed, not closed.</param>
    /// <param name="outcomes">One for each image of the file, in file order.</param>
    /// <param name="escapeFormulas">Guards all other cells by <see cref="FormulaGuard"/>; those it touches are then not as they came.</param>
    /// <param name="cancellationToken">Stops the writing; what is written until then is no result.</param>
    /// <exception cref="InvalidDataException">The spooled file is not the one that was accepted, or the outcomes are not of its rows.</exception>
    public static async Task WriteAsync(
        Stream spooled, CsvDialect dialect, Stream destination, IAsyncEnumerable<ImageOutcome> outcomes, bool escapeFormulas, CancellationToken cancellationToken)
    {
        var scanner = CsvScanner.Reopen(spooled, dialect);
        await using var byRow = new OutcomesByRow(outcomes, cancellationToken);
        await using var output = await CsvOutput.BeginAsync(destination, dialect, cancellationToken);
        var writer = new RecordWriter(scanner, output, dialect, escapeFormulas);
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

    /// <summary>The output URLs of a row: the n-th in the n-th place, and an empty place for an image without one.</summary>
    public static void WriteOutputs(List<ImageOutcome> row, StringBuilder cell)
    {
        cell.Clear();
        for (var index = 0; index < row.Count; index++)
        {
            cell.Append(index > 0 ? "," : "").Append(row[index].OutputUrl);
        }
    }

    /// <summary>The errors of a row, each after the 1-based place of its image: <c>2: http_404; 3: not_an_image</c>.</summary>
    public static void WriteErrors(List<ImageOutcome> row, StringBuilder cell)
    {
        cell.Clear();
        for (var index = 0; index < row.Count; index++)
        {
            if (row[index].Error is { } error)
            {
                cell.Append(cell.Length > 0 ? "; " : "").Append(CultureInfo.InvariantCulture, $"{index + 1}: {error}");
            }
        }
    }

    /// <summary>Writes the record that the scanner stands on with our two cells in it.</summary>
    private sealed class RecordWriter(CsvScanner scanner, CsvOutput output, CsvDialect dialect, bool escapeFormulas)
    {
        private readonly StringBuilder outputs = new();
        private readonly StringBuilder errors = new();
        private CsvColumns? columns;

        public void WriteHeader()
        {
            columns = CsvColumns.Read(scanner, dialect);
            // A name that is there already stays as it is written.
            Write(columns, CsvColumns.OutputName, CsvColumns.ErrorsName, replace: false);
        }

        public void WriteRow(List<ImageOutcome> row)
        {
            WriteOutputs(row, outputs);
            WriteErrors(row, errors);
            Write(columns!, outputs.ToString(), errors.ToString(), replace: true);
        }

        private void Write(CsvColumns header, string outputCell, string errorsCell, bool replace)
        {
            var width = header.Names.Count;
            var appends = header.OutputIndex < 0 || header.ErrorsIndex < 0;
            // A short row is filled up so far that our cells stand under their names.
            var needed = appends ? width : Math.Max(header.OutputIndex, header.ErrorsIndex) + 1;
            var total = Math.Max(scanner.CellCount, needed);
            for (var index = 0; index < total; index++)
            {
                if (index > 0)
                {
                    output.WriteDelimiter();
                }

                if (replace && index == header.OutputIndex)
                {
                    output.WriteCell(outputCell);
                }
                else if (replace && index == header.ErrorsIndex)
                {
                    output.WriteCell(errorsCell);
                }
                else if (index < scanner.CellCount)
                {
                    WriteAsItCame(index);
                }

                if (index == width - 1)
                {
                    Append(header.OutputIndex, outputCell);
                    Append(header.ErrorsIndex, errorsCell);
                }
            }

            output.Write(scanner.Bytes[scanner.Cells[^1].End..]);
        }

        private void Append(int existingIndex, string cell)
        {
            if (existingIndex < 0)
            {
                output.WriteDelimiter();
                output.WriteCell(cell);
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
