using System.Text;
using Halftone.Catalogue;

namespace Halftone.Intake;

/// <summary>Recognises, by their first bytes, files that people upload instead of a CSV.</summary>
internal static class FileKind
{
    /// <summary>Number of bytes needed from the start of the file.</summary>
    public const int HeadBytes = 512;

    /// <summary>Reads the start of a file.</summary>
    /// <param name="spooled">Seekable; its position is undefined afterwards.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>Null if the file may be a CSV.</returns>
    public static async Task<CsvProblem?> CheckAsync(Stream spooled, CancellationToken cancellationToken)
    {
        if (spooled.Length == 0)
        {
            return CsvProblemText.EmptyFile();
        }

        var head = new byte[HeadBytes];
        spooled.Position = 0;
        var length = await spooled.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return NotACsv(head.AsSpan(0, length)) is { } reason ? new CsvProblem(0, null, CsvProblemCode.NotACsv, reason) : null;
    }

    /// <summary>The type of the file and what to do, in one or two sentences; null if it may be a CSV.</summary>
    /// <param name="head">The first <see cref="HeadBytes"/> bytes, or the whole file if it is shorter.</param>
    public static string? NotACsv(ReadOnlySpan<byte> head)
    {
        foreach (var (magic, message) in Magics)
        {
            if (head.StartsWith(magic))
            {
                return message;
            }
        }

        if (head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..12].SequenceEqual("WEBP"u8))
        {
            return Picture;
        }

        var text = Encoding.Latin1.GetString(head).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase))
        {
            return "This is a web page, not a CSV. Perhaps a sign-in page was saved instead of the file. Download the file again and "
                + "upload that.";
        }

        if (text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
        {
            return "This is an XML file, not a CSV. Open it in a spreadsheet program and save it as CSV.";
        }

        if (text.StartsWith("{\\rtf", StringComparison.Ordinal))
        {
            return "This is a rich text document, not a CSV. Save the table as CSV.";
        }

        if (text.StartsWith('{') || text.StartsWith('['))
        {
            return "This looks like JSON, not a CSV. Export the products as CSV.";
        }

        return null;
    }

    private const string Picture = "This is an image, not a CSV. Upload a CSV with the URLs of your images.";

    private static readonly (byte[] Magic, string Message)[] Magics =
    [
        (
            [0x50, 0x4B, 0x03, 0x04],
            "This is an Excel workbook or a ZIP archive, not a CSV. In your spreadsheet program, choose File, Save As, “CSV UTF-8 "
            + "(comma delimited)”, and upload that file."),
        ([0x50, 0x4B, 0x05, 0x06], "This is an empty ZIP archive, not a CSV. Upload the CSV itself."),
        (
            [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1],
            "This is an Excel workbook in the old format (.xls), not a CSV. In Excel, choose File, Save As, “CSV UTF-8 (comma "
            + "delimited)”, and upload that file."),
        ("%PDF-"u8.ToArray(), "This is a PDF document, not a CSV. Upload the table as CSV."),
        ([0x1F, 0x8B], "The upload contains another gzip archive. Upload the CSV itself, or the CSV compressed once."),
        ("BZh"u8.ToArray(), "This is a bzip2 archive, not a CSV. Upload the CSV itself."),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "This is a 7-Zip archive, not a CSV. Upload the CSV itself."),
        ("Rar!"u8.ToArray(), "This is a RAR archive, not a CSV. Upload the CSV itself."),
        ([0x28, 0xB5, 0x2F, 0xFD], "This is a Zstandard archive, not a CSV. Upload the CSV itself."),
        ("SQLite format 3"u8.ToArray(), "This is a database file, not a CSV. Export the products as CSV."),
        ("PAR1"u8.ToArray(), "This is a Parquet file, not a CSV. Export the products as CSV."),
        ([0x89, 0x50, 0x4E, 0x47], Picture),
        ([0xFF, 0xD8, 0xFF], Picture),
        ("GIF8"u8.ToArray(), Picture),
        ("II*\0"u8.ToArray(), Picture),
        ("MM\0*"u8.ToArray(), Picture),
    ];
}
