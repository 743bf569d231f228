using System.Buffers;
using System.Text;

namespace Halftone.Csv;

/// <summary>Writes a CSV in the dialect of an uploaded one: unchanged parts of it, and cells of our own.</summary>
public sealed class CsvWriter : IAsyncDisposable
{
    private const int FlushBytes = 128 * 1024;
    private readonly ArrayBufferWriter<byte> pending = new();
    private readonly CsvDialect dialect;
    private readonly Stream destination;
    private readonly Stream text;

    private CsvWriter(Stream destination, CsvDialect dialect)
    {
        this.dialect = dialect;
        this.destination = destination;
        text = dialect.WriteText(destination);
    }

    /// <summary>Starts the file with the byte order mark of the uploaded one.</summary>
    public static async Task<CsvWriter> BeginAsync(Stream destination, CsvDialect dialect, CancellationToken cancellationToken)
    {
        await destination.WriteAsync(dialect.ByteOrderMark.ToArray(), cancellationToken);
        return new CsvWriter(destination, dialect);
    }

    /// <summary>Writes bytes of the text that <see cref="CsvDialect.OpenText"/> gave, unchanged.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => pending.Write(bytes);

    /// <summary>Writes the delimiter of the dialect.</summary>
    public void WriteDelimiter() => pending.Write([dialect.Delimiter]);

    /// <summary>Writes a cell, in quotation marks if it needs them or if <paramref name="quoted"/> is true.</summary>
    public void WriteCell(ReadOnlySpan<char> cell, bool quoted = false)
    {
        if (!quoted && cell.IndexOfAny((char)dialect.Delimiter, '"') < 0 && cell.IndexOfAny('\r', '\n') < 0)
        {
            dialect.TextEncoding.GetBytes(cell, pending);
            return;
        }

        pending.Write("\""u8);
        dialect.TextEncoding.GetBytes(cell.Contains('"') ? cell.ToString().Replace("\"", "\"\"", StringComparison.Ordinal) : cell, pending);
        pending.Write("\""u8);
    }

    /// <summary>Writes the buffer to the destination if there is enough to be worth it.</summary>
    public async ValueTask FlushIfLargeAsync(CancellationToken cancellationToken)
    {
        if (pending.WrittenCount >= FlushBytes)
        {
            await FlushAsync(cancellationToken);
        }
    }

    /// <summary>Writes everything to the destination and flushes it.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await text.WriteAsync(pending.WrittenMemory, cancellationToken);
        pending.ResetWrittenCount();
        await text.FlushAsync(cancellationToken);
    }

    /// <summary>Ends the text; the destination stays open.</summary>
    public ValueTask DisposeAsync() => ReferenceEquals(text, destination) ? ValueTask.CompletedTask : text.DisposeAsync();
}
