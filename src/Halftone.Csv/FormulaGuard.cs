namespace Halftone.Csv;

/// <summary>
/// Keeps a spreadsheet program from running a cell as a formula, following OWASP's page on CSV injection: a cell that
/// starts with one of <c>= + - @</c>, a tab, a line break, or the full-width form of one of the four signs, gets an
/// apostrophe in front and quotation marks around it.
/// </summary>
public static class FormulaGuard
{
    /// <summary>
    /// True if a spreadsheet program may read the value as a formula. Includes negative numbers, because the rule has
    /// no exceptions.
    /// </summary>
    public static bool IsFormula(ReadOnlySpan<byte> value, CsvEncoding encoding) => value switch
    {
        [(byte)'=' or (byte)'+' or (byte)'-' or (byte)'@' or (byte)'\t' or (byte)'\r' or (byte)'\n', ..] => true,
        // U+FF1D, U+FF0B, U+FF0D and U+FF20 in UTF-8; Windows-1252 has none of them.
        [0xEF, 0xBC, 0x9D or 0x8B or 0x8D or 0xA0, ..] => encoding != CsvEncoding.Windows1252,
        _ => false,
    };

    /// <summary>Writes the cell with its guard.</summary>
    /// <param name="raw">The cell unchanged, including its quotation marks if it has any.</param>
    /// <param name="quoted">True if it is quoted.</param>
    /// <param name="output">The destination.</param>
    public static void Write(ReadOnlySpan<byte> raw, bool quoted, CsvWriter output)
    {
        output.Write("\"'"u8);
        if (quoted)
        {
            output.Write(raw[1..]);
            return;
        }

        // Outside quotes a quotation mark is an ordinary character; inside it must be doubled.
        while (raw.IndexOf((byte)'"') is var quote and >= 0)
        {
            output.Write(raw[..(quote + 1)]);
            output.Write("\""u8);
            raw = raw[(quote + 1)..];
        }

        output.Write(raw);
        output.Write("\""u8);
    }
}
