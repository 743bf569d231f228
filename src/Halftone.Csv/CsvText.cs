using System.Buffers;

namespace Halftone.Csv;

/// <summary>Decodes the values of cells.</summary>
public static class CsvText
{
    private const byte Quote = (byte)'"';

    /// <summary>The value of a cell of the record.</summary>
    public static string Read(CsvScanner scanner, int index, CsvDialect dialect)
    {
        var value = scanner.RawValue(index);
        if (value.IsEmpty)
        {
            return "";
        }

        if ((scanner.Cells[index].Form & CsvCellForm.DoubledQuotes) == 0)
        {
            return dialect.TextEncoding.GetString(value);
        }

        var single = ArrayPool<byte>.Shared.Rent(value.Length);
        var text = dialect.TextEncoding.GetString(single.AsSpan(0, Undouble(value, single)));
        ArrayPool<byte>.Shared.Return(single);
        return text;
    }

    /// <summary>The values of all cells of the record.</summary>
    public static string[] ReadAll(CsvScanner scanner, CsvDialect dialect)
    {
        var cells = new string[scanner.CellCount];
        for (var index = 0; index < cells.Length; index++)
        {
            cells[index] = Read(scanner, index, dialect);
        }

        return cells;
    }

    /// <summary>Decodes a cell of the record into a buffer that grows as needed and is reused for the next cell.</summary>
    /// <returns>The part of the buffer that holds the value.</returns>
    public static ReadOnlySpan<char> Read(CsvScanner scanner, int index, CsvDialect dialect, ref char[] characters)
    {
        var value = scanner.RawValue(index);
        if (characters.Length < value.Length)
        {
            // No supported encoding gives more UTF-16 units than it has bytes.
            characters = new char[Math.Max(value.Length, characters.Length * 2)];
        }

        if ((scanner.Cells[index].Form & CsvCellForm.DoubledQuotes) == 0)
        {
            return characters.AsSpan(0, dialect.TextEncoding.GetChars(value, characters));
        }

        var single = ArrayPool<byte>.Shared.Rent(value.Length);
        var length = dialect.TextEncoding.GetChars(single.AsSpan(0, Undouble(value, single)), characters);
        ArrayPool<byte>.Shared.Return(single);
        return characters.AsSpan(0, length);
    }

    private static int Undouble(ReadOnlySpan<byte> value, Span<byte> single)
    {
        var length = 0;
        while (true)
        {
            var quote = value.IndexOf(Quote);
            if (quote < 0)
            {
                value.CopyTo(single[length..]);
                return length + value.Length;
            }

            value[..(quote + 1)].CopyTo(single[length..]);
            length += quote + 1;
            value = value[(quote + 2)..];
        }
    }
}
