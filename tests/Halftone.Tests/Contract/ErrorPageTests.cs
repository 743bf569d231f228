using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Halftone.Api;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Codec;
using Halftone.Hosting;
using Halftone.Model;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Contract;

/// <summary>docs/errors.md and the pages below it say what the code does, and the server shows them.</summary>
public sealed partial class ErrorPageTests
{
    private static readonly string[] OfImages = [.. Enum.GetValues<FetchError>().Select(ErrorCode.Of), .. Enum.GetValues<CodecError>().Select(ErrorCode.Of), ErrorCode.WorkerCrashed, ErrorCode.StoreRefused];

    private static readonly ProblemType[] OfCalls = [.. typeof(ProblemType).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetValue(null)).OfType<ProblemType>()];

    private static readonly string Index = File.ReadAllText(Path.Combine(Script.Repository, "docs", "errors.md"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_code_has_a_page_and_every_page_a_code()
    {
        Assert.Equal(
            OfImages.Concat(OfCalls.Concat(ProblemType.OfFiles).Select(problem => problem.Code)).Distinct().Order(StringComparer.Ordinal),
            ErrorPage.Codes);
    }

    [Fact]
    public void The_index_lists_every_code_in_its_chapter_with_what_users_are_told()
    {
        var chapters = Index.Split("\n## ");
        Assert.Equal(ProblemType.OfFiles.Select(problem => problem.Code), Listed(chapters[1]));
        Assert.Equal(OfCalls.OrderBy(problem => problem.Status).ThenBy(problem => problem.Code, StringComparer.Ordinal).Select(problem => problem.Code), Listed(chapters[2]));
        Assert.Equal(OfImages, Listed(chapters[3]));
        Assert.All(ProblemType.OfFiles.Concat(OfCalls), problem => Assert.Contains($"{new ErrorPage(problem.Code).Title} |", Index, StringComparison.Ordinal));
        Assert.All(OfCalls, problem => Assert.Contains($"(errors/{problem.Code}.md) | {problem.Status} |", Index, StringComparison.Ordinal));
        Assert.All(OfImages, code => Assert.Contains($"| {ErrorText.Of(code)} |", Index, StringComparison.Ordinal));
    }

    [Fact]
    public void A_page_says_what_happened_with_an_example_what_to_do_and_whether_a_retry_helps() => Assert.All(ErrorPage.Codes.Select(code => new ErrorPage(code)), page =>
    {
        Assert.Equal(["Example", "What to do", "Does a retry help?"], Headings().Matches(page.Text).Select(match => match.Groups[1].Value));
        Assert.StartsWith($"# {page.Title}\n\n`{page.Code}`, ", page.Text, StringComparison.Ordinal);
        var retry = page.Text[page.Text.IndexOf("## Does a retry help?", StringComparison.Ordinal)..].Split("\n\n")[1];
        Assert.Matches("^(Yes|No|Often|Once|Only|After)", retry);
    });

    [Fact]
    public void The_answer_on_the_page_of_a_problem_is_of_that_problem() => Assert.All(OfCalls.Concat(ProblemType.OfFiles), problem =>
    {
        var answer = ErrorPage.ExampleOf(problem.Code);
        Assert.Equal(
            (ErrorPages.Path(problem.Code), problem.Title, problem.Status, problem.Code),
            ((string)answer["type"]!, (string)answer["title"]!, (int)answer["status"]!, (string)answer["code"]!));
    });

    [Fact]
    public void The_page_of_a_failed_image_tells_what_the_status_tells() => Assert.All(OfImages, code =>
        Assert.Contains(Json().Matches(new ErrorPage(code).Text), block => JsonNode.Parse(block.Groups[1].Value)!["error"] is { } error && (string)error["code"]! == code && (string)error["message"]! == ErrorText.Of(code)));

    [Fact]
    public void Settings_that_are_named_are_there()
    {
        var settings = Settings.Sections.SelectMany(section => Settings.Of(section.Value).Select(property => $"{section.Key}:{property.Name}")).ToHashSet(StringComparer.Ordinal);
        var named = ErrorPage.Codes.SelectMany(code => Named().Matches(new ErrorPage(code).Text)).Select(match => match.Groups[1].Value).ToArray();
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, settings));
    }

    [Fact]
    public async Task The_server_shows_every_page_of_the_documentation_to_anyone_and_all_its_links_lead_somewhere()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await server.Services.GetRequiredService<ApiKeys>().AddAsync("team", Cancelled);
        var pages = ErrorPage.Codes.Select(code => $"/docs/errors/{code}")
            .Concat(Directory.EnumerateFiles(Path.Combine(Script.Repository, "docs"), "*.md").Select(file => $"/docs/{Path.GetFileNameWithoutExtension(file)}"))
            .ToArray();
        var links = new HashSet<Uri>();
        foreach (var page in pages)
        {
            using var answer = await server.Client.GetAsync(page, Cancelled);
            var html = await answer.Content.ReadAsStringAsync(Cancelled);
            Assert.True(answer.IsSuccessStatusCode, page);
            Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
            var outsideOfCode = Code().Replace(html, "");
            Assert.True(!outsideOfCode.Contains("**", StringComparison.Ordinal) && !outsideOfCode.Contains("](", StringComparison.Ordinal) && !outsideOfCode.Contains('`'), $"{page} is not rendered whole");
            links.UnionWith(Links().Matches(html).Select(match => new Uri(answer.RequestMessage!.RequestUri!, match.Groups[1].Value)));
        }

        foreach (var link in links.Where(link => link.Authority == server.Client.BaseAddress!.Authority))
        {
            using var answer = await server.Client.GetAsync(link, Cancelled);
            Assert.True(answer.IsSuccessStatusCode, link.ToString());
        }
    }

    private static IEnumerable<string> Listed(string chapter) => Rows().Matches(chapter).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"^\| \[`(\w+)`\]\(errors/\1\.md\) \|", RegexOptions.Multiline)]
    private static partial Regex Rows();

    [GeneratedRegex("^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex("^```json\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Json();

    [GeneratedRegex("`([A-Z][A-Za-z]+:[A-Z][A-Za-z]+)`")]
    private static partial Regex Named();

    [GeneratedRegex("<(pre|code)>.*?</\\1>", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex("<a href=\"([^\"]+)\"")]
    private static partial Regex Links();
}
