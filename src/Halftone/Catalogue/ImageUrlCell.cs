using System.Buffers;
using System.Globalization;
using Halftone.Model;

namespace Halftone.Catalogue;

/// <summary>
/// Splits a cell into URLs. A comma, semicolon, bar, space or line break separates two URLs only if a scheme
/// (<c>https://</c>) follows, so a comma inside a URL stays part of it.
/// </summary>
internal static class ImageUrlCell
{
    /// <summary>The next piece of a cell that should be a URL, without surrounding separators.</summary>
    /// <param name="rest">The rest of the cell; shortened.</param>
    /// <returns>Empty at the end of the cell.</returns>
    public static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> rest)
    {
        rest = rest[SeparatorsAtStart(rest)..];
        var end = NextScheme(rest);
        var piece = rest[..end];
        rest = rest[end..];
        return piece[..^SeparatorsAtEnd(piece)];
    }

    /// <summary>True for an absolute http or https URL that can be requested.</summary>
    /// <param name="piece">From <see cref="Next"/>, not empty.</param>
    public static bool IsUrl(ReadOnlySpan<char> piece) => IsPlainUrl(piece) || IsUnusualUrl(piece);

    /// <summary>A sentence about a piece that is not a URL, and how to fix it.</summary>
    public static string Explain(ReadOnlySpan<char> piece)
    {
        var shown = CsvProblems.Excerpt(piece);
        if (piece[0] is '"' or '\'' or '“' or '”')
        {
            return $"{shown} starts with a quotation mark. Write the URL without it. Quotation marks around a whole cell must follow the "
                + "delimiter directly, without a space.";
        }

        if (piece.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return "An image embedded in the cell (data:…) cannot be downloaded. Put the image on a web server and write its URL.";
        }

        var scheme = piece.IndexOf(SchemeMark, StringComparison.Ordinal);
        if (scheme < 0)
        {
            return $"{shown} is not a valid URL. Write the whole URL, starting with http:// or https://.";
        }

        if (!HasHttpScheme(piece))
        {
            return $"{shown} cannot be downloaded. Only URLs that start with http:// or https:// can.";
        }

        return ListedWithoutScheme(piece)
            ? $"{shown} looks like several URLs. Write each of them in full, starting with http:// or https://."
            : $"{shown} is not a complete URL. Open it in a browser and copy the URL from there.";
    }

    /// <summary>The start of the next run of separators that is followed by a scheme; the length if there is none.</summary>
    private static int NextScheme(ReadOnlySpan<char> text)
    {
        var from = 0;
        while (true)
        {
            var found = text[from..].IndexOf(SchemeMark, StringComparison.Ordinal);
            if (found < 0)
            {
                return text.Length;
            }

            var mark = from + found;
            var start = mark;
            while (start > 0 && (char.IsAsciiLetterOrDigit(text[start - 1]) || text[start - 1] is '+' or '.' or '-'))
            {
                start--;
            }

            if (start > 0 && start < mark && char.IsAsciiLetter(text[start]) && IsSeparator(text[start - 1]))
            {
                return start;
            }

            from = mark + SchemeMark.Length;
        }
    }

    private static int SeparatorsAtStart(ReadOnlySpan<char> text)
    {
        var count = 0;
        while (count < text.Length && IsSeparator(text[count]))
        {
            count++;
        }

        return count;
    }

    private static int SeparatorsAtEnd(ReadOnlySpan<char> text)
    {
        var count = 0;
        while (count < text.Length && IsSeparator(text[text.Length - 1 - count]))
        {
            count++;
        }

        return count;
    }

    // U+200B and U+FEFF come with text copied from web pages and are invisible.
    private static bool IsSeparator(char value) => value is ',' or ';' or '|' or ' ' or '\n' or '\r' or '\t' or '\u200B' or '\uFEFF'
        || (value >= '\u0080' && char.IsWhiteSpace(value));

    /// <summary>Accepts ordinary URLs without allocating; leaves all others to <see cref="IsUnusualUrl"/>.</summary>
    private static bool IsPlainUrl(ReadOnlySpan<char> piece)
    {
        var rest = piece.StartsWith("https://", StringComparison.Ordinal)
            ? piece[8..]
            : piece.StartsWith("http://", StringComparison.Ordinal)
            ? piece[7..]
            : default;
        var hostLength = rest.IndexOfAnyExcept(HostCharacters);
        var host = hostLength < 0 ? rest : rest[..hostLength];
        var path = rest[host.Length..];
        // A host of digits and dots may be an IP address in one of many notations.
        if (host.Length is 0 or > 253 || !char.IsAsciiLetterLower(host[^1]) || !LabelsAreShort(host))
        {
            return false;
        }

        if (path is [':', ..])
        {
            var digits = path[1..].IndexOfAnyExceptInRange('0', '9');
            var port = digits < 0 ? path[1..] : path[1..(digits + 1)];
            if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                return false;
            }

            path = path[(port.Length + 1)..];
        }

        return path.IsEmpty || (path[0] == '/' && path.IndexOfAnyExcept(PathCharacters) < 0);
    }

    private static bool LabelsAreShort(ReadOnlySpan<char> host)
    {
        while (true)
        {
            var dot = host.IndexOf('.');
            var label = dot < 0 ? host : host[..dot];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }

            if (dot < 0)
            {
                return true;
            }

            host = host[(dot + 1)..];
        }
    }

    private static bool IsUnusualUrl(ReadOnlySpan<char> piece) =>
        HasHttpScheme(piece)
        && piece.IndexOfAnyInRange('\0', '\u001F') < 0
        && !ListedWithoutScheme(piece)
        && StrangersUrl.TryParse(piece.ToString(), out var uri)
        && uri.Host.Length > 0;

    private static bool HasHttpScheme(ReadOnlySpan<char> piece) =>
        piece.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || piece.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Finds "https://a.example/1.jpg, 2.jpg" and the like: a list whose second entry would silently become part of the
    /// first.
    /// </summary>
    private static bool ListedWithoutScheme(ReadOnlySpan<char> piece)
    {
        for (var index = 1; index < piece.Length - 1; index++)
        {
            if (piece[index] != ' ')
            {
                continue;
            }

            var next = piece[(index + 1)..];
            if (piece[index - 1] is ',' or ';' or '|' || next[0] is ',' or ';' or '|'
                || next.StartsWith("//", StringComparison.Ordinal) || next.StartsWith("www.", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private const string SchemeMark = "://";

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-");

    private static readonly SearchValues<char> PathCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%#");
}
