using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Halftone.Api.Docs;

/// <summary>
/// The Markdown of our own pages as HTML: headings, paragraphs, lists, tables, code, <c>`code`</c>, <c>**bold**</c> and links. What goes beyond that
/// is for the one who writes the page to leave out.
/// </summary>
internal static partial class Markdown
{
    public static string ToHtml(string markdown)
    {
        var html = new StringBuilder();
        var lines = new Queue<string>(markdown.ReplaceLineEndings("\n").Split('\n'));
        while (lines.TryPeek(out var line))
        {
            if (line.Length == 0)
            {
                lines.Dequeue();
            }
            else if (line.StartsWith("```", StringComparison.Ordinal))
            {
                lines.Dequeue();
                var code = string.Join('\n', TakeWhile(lines, next => !next.StartsWith("```", StringComparison.Ordinal)));
                lines.TryDequeue(out _);
                html.Append("<pre>").Append(Encode(code)).Append("</pre>\n");
            }
            else if (Heading().Match(lines.Peek()) is { Success: true } heading)
            {
                lines.Dequeue();
                var level = heading.Groups[1].Length;
                html.Append(CultureInfo.InvariantCulture, $"<h{level} id=\"{Anchor(heading.Groups[2].Value)}\">{Inline(heading.Groups[2].Value)}</h{level}>\n");
            }
            else if (line.StartsWith('|'))
            {
                Table(html, [.. TakeWhile(lines, next => next.StartsWith('|'))]);
            }
            else if (line.StartsWith("- ", StringComparison.Ordinal))
            {
                var items = string.Join(' ', TakeWhile(lines, next => next.Length > 0)).Split("- ", StringSplitOptions.RemoveEmptyEntries);
                html.Append("<ul>").AppendJoin("", items.Select(item => $"<li>{Inline(item)}</li>")).Append("</ul>\n");
            }
            else
            {
                html.Append("<p>").Append(Inline(string.Join(' ', TakeWhile(lines, IsOfParagraph)))).Append("</p>\n");
            }
        }

        return html.ToString();
    }

    private static bool IsOfParagraph(string line) => line.Length > 0 && line[0] is not '|' and not '#' && !line.StartsWith("```", StringComparison.Ordinal) && !line.StartsWith("- ", StringComparison.Ordinal);

    private static List<string> TakeWhile(Queue<string> lines, Func<string, bool> isTaken)
    {
        var taken = new List<string>();
        while (lines.TryPeek(out var line) && isTaken(line))
        {
            taken.Add(lines.Dequeue());
        }

        return taken;
    }

    /// <summary>The second line only draws the rule.</summary>
    private static void Table(StringBuilder html, string[] lines)
    {
        html.Append("<div class=\"scroll\" tabindex=\"0\"><table><thead>").Append(Row(lines[0], "th")).Append("</thead><tbody>");
        foreach (var line in lines.Skip(2))
        {
            html.Append(Row(line, "td"));
        }

        html.Append("</tbody></table></div>\n");
    }

    private static string Row(string line, string cell) =>
        $"<tr>{string.Concat(Bar().Split(line.Trim().Trim('|')).Select(text => $"<{cell}>{Inline(text.Trim().Replace("\\|", "|", StringComparison.Ordinal))}</{cell}>"))}</tr>";

    /// <summary>Code stands aside meanwhile: nothing inside it means anything.</summary>
    private static string Inline(string text)
    {
        var codes = new List<string>();
        var rest = Code().Replace(Encode(text), match =>
        {
            codes.Add($"<code>{match.Groups[1].Value}</code>");
            return $"\uE000{codes.Count - 1}\uE001";
        });
        rest = Bold().Replace(Link().Replace(rest, match => $"<a href=\"{Target(match.Groups[2].Value)}\">{match.Groups[1].Value}</a>"), "<b>$1</b>");
        return Aside().Replace(rest, match => codes[int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)]);
    }

    /// <summary>Our pages are served under their names without the ending.</summary>
    private static string Target(string link) => link.Contains("://", StringComparison.Ordinal) ? link : link.Replace(".md", "", StringComparison.Ordinal);

    private static string Anchor(string heading) => NoWord().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    [GeneratedRegex("^(#{1,6}) (.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Bar();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\[([^\]]+)\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\*\*([^*]+)\*\*")]
    private static partial Regex Bold();

    [GeneratedRegex("\uE000([0-9]+)\uE001")]
    private static partial Regex Aside();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoWord();
}
