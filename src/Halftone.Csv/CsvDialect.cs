using System.Diagnostics;
using System.Text;

namespace Halftone.Csv;

/// <summary>The encoding of a CSV.</summary>
public enum CsvEncoding
{
    /// <summary>UTF-8 without a byte order mark.</summary>
    Utf8 = 1,
    /// <summary>UTF-8 with a byte order mark, as written by Excel's "CSV UTF-8".</summary>
    Utf8Bom = 2,
    /// <summary>UTF-16, little endian, with a byte order mark: Excel's "Unicode Text".</summary>
    Utf16Le = 3,
    /// <summary>UTF-16, big endian, with a byte order mark.</summary>
    Utf16Be = 4,
    /// <summary>One byte per character, as written by Excel's plain "CSV" in western Europe and America.</summary>
    Windows1252 = 5,
}

/// <summary>
/// The encoding and delimiter of an uploaded CSV. Detected once, stored with the request, and used again to write its
/// result.
/// </summary>
/// <param name="Encoding">With or without a byte order mark.</param>
/// <param name="Delimiter">One of <see cref="Delimiters"/>, as ASCII.</param>
public sealed record CsvDialect(CsvEncoding Encoding, byte Delimiter)
{
    /// <summary>The supported delimiters; the first wins if several fit equally.</summary>
    public static ReadOnlySpan<byte> Delimiters => ",;\t|"u8;

    /// <summary>The byte order mark of the file; empty if it has none.</summary>
    public ReadOnlySpan<byte> ByteOrderMark => Encoding switch
    {
        CsvEncoding.Utf8Bom => [0xEF, 0xBB, 0xBF],
        CsvEncoding.Utf16Le => [0xFF, 0xFE],
        CsvEncoding.Utf16Be => [0xFE, 0xFF],
        _ => [],
    };

    /// <summary>
    /// The text of the file after the byte order mark, in an encoding where every ASCII character is a single byte:
    /// unchanged, or UTF-16 converted to UTF-8.
    /// </summary>
    /// <param name="spooled">Seekable; rewound here, not closed here.</param>
    public Stream OpenText(Stream spooled)
    {
        spooled.Position = ByteOrderMark.Length;
        return IsUtf16 ? System.Text.Encoding.CreateTranscodingStream(spooled, Utf16, StrictUtf8, leaveOpen: true) : spooled;
    }

    /// <summary>
    /// A stream that takes bytes as <see cref="OpenText"/> gives them and writes them to <paramref name="destination"/>
    /// in the encoding of the file.
    /// </summary>
    /// <remarks>
    /// The destination itself, except for UTF-16: then a stream that must be disposed before the destination is used
    /// further. Writes no byte order mark.
    /// </remarks>
    public Stream WriteText(Stream destination) =>
        IsUtf16 ? System.Text.Encoding.CreateTranscodingStream(destination, Utf16, StrictUtf8, leaveOpen: true) : destination;

    /// <summary>Decodes a part of the text that <see cref="OpenText"/> gives.</summary>
    public Encoding TextEncoding => Encoding == CsvEncoding.Windows1252 ? CodePage.Windows1252 : System.Text.Encoding.UTF8;

    /// <summary>The stored form, such as <c>utf-8 comma</c> or <c>utf-16le tab</c>.</summary>
    public override string ToString() => $"{EncodingWord} {DelimiterWord}";

    /// <summary>Parses the stored form.</summary>
    /// <exception cref="FormatException">The text was not written by <see cref="ToString"/>.</exception>
    public static CsvDialect Parse(string stored)
    {
        foreach (var encoding in Enum.GetValues<CsvEncoding>())
        {
            foreach (var delimiter in Delimiters)
            {
                var dialect = new CsvDialect(encoding, delimiter);
                if (dialect.ToString() == stored)
                {
                    return dialect;
                }
            }
        }

        throw new FormatException($"\"{stored}\" is not a stored CSV dialect.");
    }

    private bool IsUtf16 => Encoding is CsvEncoding.Utf16Le or CsvEncoding.Utf16Be;

    private UnicodeEncoding Utf16 => new(bigEndian: Encoding == CsvEncoding.Utf16Be, byteOrderMark: false, throwOnInvalidBytes: true);

    // Strict in both directions: detection has already refused broken UTF-16, and a replacement character would change bytes.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private string EncodingWord => Encoding switch
    {
        CsvEncoding.Utf8 => "utf-8",
        CsvEncoding.Utf8Bom => "utf-8-bom",
        CsvEncoding.Utf16Le => "utf-16le",
        CsvEncoding.Utf16Be => "utf-16be",
        CsvEncoding.Windows1252 => "windows-1252",
        _ => throw new UnreachableException(),
    };

    /// <summary>The delimiter as a word: comma, semicolon, tab or pipe.</summary>
    public string DelimiterWord => Delimiter switch
    {
        (byte)',' => "comma",
        (byte)';' => "semicolon",
        (byte)'\t' => "tab",
        (byte)'|' => "pipe",
        _ => throw new UnreachableException(),
    };

    /// <summary>Created on first use, because its tables are read from a resource.</summary>
    private static class CodePage
    {
        public static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
    }
}
