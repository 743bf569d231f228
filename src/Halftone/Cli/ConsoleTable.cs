using System.CommandLine;
using System.Globalization;

namespace Halftone.Cli;

/// <summary>Rows on standard output, one line each and never wrapped, so that they can be read and cut by column.</summary>
internal static class ConsoleTable
{
    private const string Gap = "  ";

    public static void Write(ParseResult result, string[] titles, IEnumerable<string[]> rows)
    {
        string[][] lines = [titles, .. rows.Select(row => row.Select(OneLine).ToArray())];
        var widths = titles.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        foreach (var line in lines)
        {
            result.Print(string.Join(Gap, line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);

    /// <summary>Replaces control characters, which a terminal obeys: the sender chooses a file's name.</summary>
    public static string OneLine(string cell) => string.Concat(cell.Select(c => char.IsControl(c) ? ' ' : c));
}
