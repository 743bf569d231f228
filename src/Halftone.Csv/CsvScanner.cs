using System.Buffers;

namespace Halftone.Csv;

/// <summary>The outcomes of <see cref="CsvScanner.ReadAsync"/>.</summary>
public enum CsvScan
{
    /// <summary>A record; the scanner's properties describe it until the next read.</summary>
    Record = 1,
    /// <summary>The end of the file.</summary>
    End = 2,
    /// <summary>The file ends inside quotes that open on <see cref="CsvScanner.QuoteLine"/>. Nothing follows.</summary>
    UnclosedQuote = 3,
    /// <summary>
    /// A record is longer than allowed. Nothing follows. <see cref="CsvScanner.QuoteLine"/> is set if it was inside
    /// quotes.
    /// </summary>
    RecordTooLong = 4,
    /// <summary>A record has more cells than allowed. Nothing follows.</summary>
    TooManyColumns = 5,
}

/// <summary>The kinds of records.</summary>
public enum CsvRecordKind
{
    /// <summary>A first line such as <c>sep=;</c>, which tells Excel the delimiter.</summary>
    SeparatorLine = 1,
    /// <summary>Only spaces, delimiters of any kind and quotation marks: ignored, and kept unchanged.</summary>
    Blank = 2,
    /// <summary>The column names: the first record that is neither of the above.</summary>
    Header = 3,
    /// <summary>Any other record: data.</summary>
    Row = 4,
}

/// <summary>The position of a cell in its record, in bytes from the start of the record.</summary>
/// <param name="Start">First byte, including an opening quote.</param>
/// <param name="End">After the last byte, before the delimiter or line ending.</param>
/// <param name="ValueStart">First byte of the value.</param>
/// <param name="ValueEnd">After the last byte of the value.</param>
/// <param name="Form">Quoting of the value.</param>
public readonly record struct CsvCell(int Start, int End, int ValueStart, int ValueEnd, CsvCellForm Form);

/// <summary>The quoting of a cell.</summary>
[Flags]
public enum CsvCellForm : byte
{
    /// <summary>Not quoted.</summary>
    Plain = 0,
    /// <summary>In quotation marks.</summary>
    Quoted = 1,
    /// <summary>Contains doubled quotation marks.</summary>
    DoubledQuotes = 2,
    /// <summary>Something other than spaces follows the closing quotation mark, so the value is ambiguous.</summary>
    TextAfterQuote = 4,
}

/// <summary>
/// Reads the records of a CSV (RFC 4180, with any of the three line endings) and finds the start and end of each cell,
/// so that a file can be written again with every byte outside our columns unchanged. Works on bytes:
/// <see cref="CsvDialect.OpenText"/> converts every encoding to one in which delimiter, quotation mark and line endings
/// are single bytes that are not part of any other character.
/// </summary>
/// <remarks>
/// Memory is bounded by the maximum record length, not by the file. A quotation mark opens quotes only as the first
/// byte of a cell; anywhere else it is an ordinary character (<c>5" pipe</c>). See docs/decisions/0003-csv-scanner.md.
/// </remarks>
public sealed class CsvScanner
{
    private const byte Quote = (byte)'"';
    private const byte CarriageReturn = (byte)'\r';
    private const byte LineFeed = (byte)'\n';
    private const int UsualBufferBytes = 128 * 1024;

    private static readonly SearchValues<byte> SayNothing = SearchValues.Create(" \"\t,;|"u8);

    private readonly Stream text;
    private readonly byte delimiter;
    private readonly int maxRecordBytes;
    private readonly int maxColumns;
    private byte[] buffer;
    private int recordStart;
    private int recordLength;
    private int filledEnd;
    private bool endOfText;
    private bool headerSeen;
    private long nextLine = 1;
    private CsvCell[] cells = new CsvCell[16];

    private CsvScanner(Stream spooled, CsvDialect dialect, int maxRecordBytes, int maxColumns)
    {
        text = dialect.OpenText(spooled);
        delimiter = dialect.Delimiter;
        this.maxRecordBytes = maxRecordBytes;
        this.maxColumns = maxColumns;
        // One byte more than a small file, so that its end is found without growing.
        buffer = new byte[Math.Min(UsualBufferBytes, spooled.Length + 1)];
    }

    /// <summary>Opens a spooled file at its start.</summary>
    /// <param name="spooled">Seekable; not closed here.</param>
    /// <param name="dialect">The dialect of the file.</param>
    /// <param name="limits">Maximum record length and cells per record.</param>
    public static CsvScanner Open(Stream spooled, CsvDialect dialect, CsvLimits limits) =>
        new(spooled, dialect, limits.MaxRecordBytes, limits.MaxColumns);

    /// <summary>Opens a spooled file that was accepted before, without limits: an accepted file must stay readable.</summary>
    /// <param name="spooled">Seekable; not closed here.</param>
    /// <param name="dialect">The dialect detected when the file was accepted.</param>
    public static CsvScanner Reopen(Stream spooled, CsvDialect dialect) => new(spooled, dialect, Array.MaxLength, Array.MaxLength);

    /// <summary>The 1-based line on which the record starts, as in a text editor: line breaks inside quotes count too.</summary>
    public long Line { get; private set; }

    /// <summary>The line on which the unclosed quotes open; 0 if there are none.</summary>
    public long QuoteLine { get; private set; }

    /// <summary>The kind of the record.</summary>
    public CsvRecordKind Kind { get; private set; }

    /// <summary>The cells of the record, at least one.</summary>
    public ReadOnlySpan<CsvCell> Cells => cells.AsSpan(0, CellCount);

    /// <summary>Number of cells in the record, at least 1.</summary>
    public int CellCount { get; private set; }

    /// <summary>The whole record with its line ending.</summary>
    public ReadOnlySpan<byte> Bytes => buffer.AsSpan(recordStart, recordLength);

    /// <summary>The value of a cell; if it contains doubled quotation marks, they are still doubled.</summary>
    public ReadOnlySpan<byte> RawValue(int index) =>
        buffer.AsSpan(recordStart + cells[index].ValueStart, cells[index].ValueEnd - cells[index].ValueStart);

    /// <summary>Moves to the next record.</summary>
    public ValueTask<CsvScan> ReadAsync(CancellationToken cancellationToken)
    {
        recordStart += recordLength;
        recordLength = 0;
        // Usually the whole record is already buffered, so skip the state machine.
        return Scan() is { } found ? ValueTask.FromResult(found) : FillAndScanAsync(cancellationToken);
    }

    /// <summary>Moves to the next record of a file that was accepted before; false at its end.</summary>
    /// <exception cref="InvalidDataException">The file is no longer readable, so it has changed.</exception>
    public async ValueTask<bool> ReadRecordAsync(CancellationToken cancellationToken) => await ReadAsync(cancellationToken) switch
    {
        CsvScan.Record => true,
        CsvScan.End => false,
        var other => throw new InvalidDataException($"The spooled file cannot be read again: {other} at line {Line}."),
    };

    private async ValueTask<CsvScan> FillAndScanAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (filledEnd - recordStart > maxRecordBytes)
            {
                return CsvScan.RecordTooLong;
            }

            await FillAsync(cancellationToken);
            if (Scan() is { } found)
            {
                return found;
            }
        }
    }

    /// <summary>
    /// Scans one record in the buffer. Null if the record may continue after it: then more is read and the record
    /// scanned again, which stays linear because the buffer doubles.
    /// </summary>
    private CsvScan? Scan()
    {
        var data = buffer.AsSpan(recordStart, filledEnd - recordStart);
        if (data.IsEmpty)
        {
            return endOfText ? CsvScan.End : null;
        }

        Line = nextLine;
        CellCount = 0;
        QuoteLine = 0;
        var linesInside = 0L;
        var position = 0;
        while (true)
        {
            var start = position;
            var valueStart = start;
            var valueEnd = -1;
            var form = CsvCellForm.Plain;
            if (position < data.Length && data[position] == Quote)
            {
                valueStart = start + 1;
                valueEnd = ClosingQuote(data, valueStart, ref form);
                if (valueEnd < 0)
                {
                    QuoteLine = nextLine + linesInside;
                    return endOfText && data.Length <= maxRecordBytes ? CsvScan.UnclosedQuote : null;
                }

                linesInside += CountLineBreaks(data[valueStart..valueEnd]);
                position = valueEnd + 1;
            }

            var stop = data[position..].IndexOfAny(delimiter, LineFeed, CarriageReturn);
            if (stop < 0 && !endOfText)
            {
                return null;
            }

            var end = stop < 0 ? data.Length : position + stop;
            if (form == CsvCellForm.Plain)
            {
                valueEnd = end;
            }
            else if (data[position..end].IndexOfAnyExcept((byte)' ', (byte)'\t') >= 0)
            {
                form |= CsvCellForm.TextAfterQuote;
            }

            if (CellCount == maxColumns)
            {
                return CsvScan.TooManyColumns;
            }

            AddCell(new CsvCell(start, end, valueStart, valueEnd, form));
            position = end;
            if (position < data.Length && data[position] == delimiter)
            {
                position++;
                continue;
            }

            return EndRecord(data, position, linesInside);
        }
    }

    private CsvScan? EndRecord(ReadOnlySpan<byte> data, int end, long linesInside)
    {
        var next = end;
        if (next < data.Length && data[next] == CarriageReturn)
        {
            next++;
            if (next == data.Length && !endOfText)
            {
                return null; // a line feed may follow
            }
        }

        if (next < data.Length && data[next] == LineFeed)
        {
            next++;
        }

        if (end > maxRecordBytes)
        {
            return CsvScan.RecordTooLong;
        }

        recordLength = next;
        nextLine += linesInside + 1;
        Kind = KindOfRecord();
        return CsvScan.Record;
    }

    /// <summary>Index of the quote that ends the cell; -1 if it is not known yet.</summary>
    private int ClosingQuote(ReadOnlySpan<byte> data, int from, ref CsvCellForm form)
    {
        form = CsvCellForm.Quoted;
        while (true)
        {
            var found = data[from..].IndexOf(Quote);
            if (found < 0)
            {
                return -1;
            }

            var quote = from + found;
            if (quote + 1 == data.Length)
            {
                return endOfText ? quote : -1; // a second one may follow
            }

            if (data[quote + 1] != Quote)
            {
                return quote;
            }

            form |= CsvCellForm.DoubledQuotes;
            from = quote + 2;
        }
    }

    private CsvRecordKind KindOfRecord()
    {
        if (Line == 1 && IsSeparatorLine(Bytes[..cells[CellCount - 1].End], delimiter))
        {
            return CsvRecordKind.SeparatorLine;
        }

        // The same for every delimiter, so that the header can be used to choose one.
        if (Bytes[..cells[CellCount - 1].End].IndexOfAnyExcept(SayNothing) < 0)
        {
            return CsvRecordKind.Blank;
        }

        if (headerSeen)
        {
            return CsvRecordKind.Row;
        }

        headerSeen = true;
        return CsvRecordKind.Header;
    }

    private static bool IsSeparatorLine(ReadOnlySpan<byte> record, byte delimiter) =>
        record.Length == 5 && record[4] == delimiter && System.Text.Ascii.EqualsIgnoreCase(record[..4], "sep="u8);

    private void AddCell(CsvCell cell)
    {
        if (CellCount == cells.Length)
        {
            Array.Resize(ref cells, cells.Length * 2);
        }

        cells[CellCount++] = cell;
    }

    private static long CountLineBreaks(ReadOnlySpan<byte> value)
    {
        var count = 0L;
        while (true)
        {
            var found = value.IndexOfAny(LineFeed, CarriageReturn);
            if (found < 0)
            {
                return count;
            }

            count++;
            var pair = value[found] == CarriageReturn && found + 1 < value.Length && value[found + 1] == LineFeed;
            value = value[(found + (pair ? 2 : 1))..];
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (recordStart > 0)
        {
            buffer.AsSpan(recordStart, filledEnd - recordStart).CopyTo(buffer);
            filledEnd -= recordStart;
            recordStart = 0;
        }

        if (filledEnd == buffer.Length)
        {
            Array.Resize(ref buffer, (int)Math.Min(Array.MaxLength, buffer.Length * 2L));
        }

        var read = await text.ReadAsync(buffer.AsMemory(filledEnd), cancellationToken);
        filledEnd += read;
        endOfText = read == 0;
    }
}
