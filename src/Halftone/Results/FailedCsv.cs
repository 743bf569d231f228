using Halftone.Catalogue;
using Halftone.Csv;

namespace Halftone.Results;

/// <summary>
/// Writes the rows with failed images in the format of the uploaded file, ready to be uploaded again: byte order mark,
/// header, columns, quoting and line endings unchanged, and only the failed URLs in the URL cell. A row whose images
/// all failed is unchanged, byte for byte.
/// </summary>
internal static class FailedCsv
{
    /// <param name="spooled">The uploaded file, seekable; not closed here.</param>
    /// <param name="dialect">The dialect stored when it was accepted.</param>
    /// <param name="destination">Receives the rows; flushed, not closed.</param>
    /// <param name="outcomes">One per image of the file, in file order. Those with an error count as failed.</param>
    /// <param name="cancellationToken">Stops writing.</param>
    /// <exception cref="InvalidDataException">The spooled file is not the one that was accepted, or the outcomes do not
    /// match its rows.</exception>
    public static async Task WriteAsync(
        Stream spooled,
        CsvDialect dialect,
        Stream destination,
        IAsyncEnumerable<ImageOutcome> outcomes,
        CancellationToken cancellationToken)
    {
        var scanner = CsvScanner.Reopen(spooled, dialect);
        await using var byRow = new OutcomesByRow(outcomes, cancellationToken);
        await using var output = await CsvWriter.BeginAsync(destination, dialect, cancellationToken);
        CsvColumns? columns = null;
        var row = new List<ImageOutcome>();
        while (await scanner.ReadRecordAsync(cancellationToken))
        {
            switch (scanner.Kind)
            {
                case CsvRecordKind.Row:
                    await byRow.TakeAsync(scanner.Line, row);
                    WriteRow(scanner, dialect, columns!, row, output);
                    break;
                case CsvRecordKind.Header:
                    columns = CsvColumns.Read(scanner, dialect);
                    output.Write(scanner.Bytes);
                    break;
                case CsvRecordKind.SeparatorLine:
                    output.Write(scanner.Bytes);
                    break;
                default:
                    break; // blank lines are not failed rows
            }

            await output.FlushIfLargeAsync(cancellationToken);
        }

        await byRow.ExpectEndAsync();
        await output.FlushAsync(cancellationToken);
    }

    private static void WriteRow(CsvScanner scanner, CsvDialect dialect, CsvColumns columns, List<ImageOutcome> row, CsvWriter output)
    {
        var failed = row.Count(outcome => outcome.Error is not null);
        if (failed == row.Count && failed > 0)
        {
            output.Write(scanner.Bytes);
        }
        else if (failed > 0)
        {
            var cell = scanner.Cells[columns.UrlIndex];
            output.Write(scanner.Bytes[..cell.Start]);
            output.WriteCell(FailedUrls(CsvText.Read(scanner, columns.UrlIndex, dialect), row), (cell.Form & CsvCellForm.Quoted) != 0);
            output.Write(scanner.Bytes[cell.End..]);
        }
    }

    private static string FailedUrls(ReadOnlySpan<char> rest, List<ImageOutcome> row)
    {
        var failed = new List<string>();
        foreach (var outcome in row)
        {
            var url = ImageUrlCell.Next(ref rest);
            if (outcome.Error is not null)
            {
                failed.Add(url.ToString());
            }
        }

        return rest.IsEmpty && !failed.Contains("")
            ? string.Join(',', failed)
            : throw new InvalidDataException($"Line {row[0].Line} of the spooled file does not contain {row.Count} URLs.");
    }
}
