using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Contract;

/// <summary>The section of an error code on a page of docs/errors.</summary>
internal sealed partial class ErrorPage
{
    private static readonly Lazy<Dictionary<string, ErrorPage>> Sections = new(() => Directory
        .EnumerateFiles(Path.Combine(Script.Repository, "docs", "errors"), "*.md")
        .SelectMany(file => File.ReadAllText(file).Split("\n## ")[1..].Select(text => new ErrorPage(file, text)))
        .ToDictionary(section => section.Code));

    private ErrorPage(string file, string text)
    {
        var head = Head().Match(text);
        Assert.True(head.Success, $"{file}: a section begins with its code, its title in bold, and its status or retries: {text}");
        (Page, Text) = (Path.GetFileNameWithoutExtension(file), text);
        (Code, Title, When) = (head.Groups["code"].Value, head.Groups["title"].Value, head.Groups["when"].Value);
    }

    /// <summary>Every code that has a section, sorted.</summary>
    public static IEnumerable<string> Codes => Sections.Value.Keys.Order(StringComparer.Ordinal);

    /// <summary>Name of the file, such as <c>upload</c>.</summary>
    public string Page { get; }

    /// <summary>The section without the marks of its heading.</summary>
    public string Text { get; }

    public string Code { get; }

    public string Title { get; }

    /// <summary>HTTP status of a refused call or file; of a failed image, whether it was retried.</summary>
    public string When { get; }

    /// <summary>The sentences that callers are told.</summary>
    public IEnumerable<string> Told => Quotes().Matches(Text).Select(quote => quote.Groups[1].Value);

    /// <summary>Link from a page of the folder docs.</summary>
    public string Link => $"[`{Code}`](errors/{Page}.md#{Code})";

    public static ErrorPage Of(string code) => Sections.Value[code];

    /// <summary>The first block of a language, or null.</summary>
    public string? Block(string language) => Blocks().Matches(Text).FirstOrDefault(block => block.Groups["language"].Value == language)?.Groups["code"].Value;

    /// <summary>
    /// The answer that the section describes: of a call with the quoted sentence as <c>detail</c>, of a file with the JSON as <c>errors</c>.
    /// </summary>
    public JsonObject Answer(string title)
    {
        var status = int.Parse(When, CultureInfo.InvariantCulture);
        var answer = new JsonObject { ["type"] = "/docs/errors/" + Code, ["title"] = title, ["status"] = status };
        if (Block("json") is not { } block)
        {
            answer["detail"] = Told.First();
            answer["code"] = Code;
            return answer;
        }

        var errors = block.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!).ToArray();
        var first = (string)errors[0]["message"]!;
        answer["detail"] = errors.Length == 1 ? first : $"{errors.Length} problems found. The first one: {first}";
        answer["code"] = Code;
        answer["errors"] = new JsonArray(errors);
        answer["error_count"] = errors.Length;
        return answer;
    }

    [GeneratedRegex(@"^`(?<code>\w+)`\n\n\*\*(?<title>[^*\n]+)\*\* · (?<when>.+)\n", RegexOptions.ExplicitCapture)]
    private static partial Regex Head();

    [GeneratedRegex("^> (.+)$", RegexOptions.Multiline)]
    private static partial Regex Quotes();

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Blocks();
}
