using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Contract;

/// <summary>A page of docs/errors.</summary>
internal sealed partial class ErrorPage
{
    public static readonly string Folder = Path.Combine(Script.Repository, "docs", "errors");

    public ErrorPage(string code)
    {
        Code = code;
        Text = File.ReadAllText(Path.Combine(Folder, code + ".md"));
    }

    public string Code { get; }

    public string Text { get; }

    public string Title => Text[2..Text.IndexOf('\n', StringComparison.Ordinal)];

    public static IEnumerable<string> Codes =>
        Directory.EnumerateFiles(Folder, "*.md").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    /// <summary>The first block of a language, or null.</summary>
    public string? Block(string language) =>
        Blocks().Matches(Text).FirstOrDefault(block => block.Groups["language"].Value == language)?.Groups["code"].Value;

    /// <summary>The answer that the page shows for a problem.</summary>
    public static JsonObject ExampleOf(string code) => JsonNode.Parse(new ErrorPage(code).Block("json")!)!.AsObject();

    [GeneratedRegex(
        "^```(?<language>[a-z]+)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Blocks();
}
