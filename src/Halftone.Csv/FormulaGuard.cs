namespace Halftone.Csv;

/// <summary>
/// Keeps a spreadsheet program from running a cell as a formula, as OWASP's page on CSV injection says: a cell that begins with one of
/// <c>= + - @</c>, a tab, a line break, or the full-width form of one of the four signs, gets an apostrophe before it and quotation marks around it.
/// </summary>
public static class FormulaGuard
{
    /// <summary>Whether a spreadsheet program may take the value for a formula. Negative numbers are among them: the rule knows no exception.</summary>
    public static bool IsFormula(ReadOnlySpan<byte> value, CsvEncoding encoding) => value switch
    {
        [(byte)'=' or (byte)'+' or (byte)'-' or (byte)'@' or (byte)'\t' or (byte)'\r' or (byte)'\n', ..] => true,
        // U+FF1D, U+FF0B, U+FF0D and U+FF20 in UTF-8; Windows-1252 has none of them.
        [0xEF, 0xBC, 0x9D or 0x8B or 0x8D or 0xA0, ..] => encoding != CsvEncoding.Windows1252,
        _ => false,
    };

    /// <summary>Writes the cell with its guard.</summary>
    /// <param name="raw">The cell as it came, with its quotation marks where it has some.</param>
    /// <param name="quoted">Whether it has.</param>
    /// <param name="output">Where to.</param>
    public static void Write(ReadOnlySpan<byte> raw, bool quoted, CsvWriter output)
    {
        output.Write("\"'"u8);
        if (quoted)
        {
            output.Write(raw[1..]);
            return;
        }

        // Outside quotes a quotation mark is a plain character; inside it must be written twice.
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
