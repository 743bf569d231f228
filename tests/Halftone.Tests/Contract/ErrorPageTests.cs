using System.Reflection;
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

    /// <summary>Every problem of a call or a file.</summary>
    internal static IEnumerable<ProblemType> Problems => OfCalls.Concat(ProblemType.OfFiles);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_code_has_a_section_and_every_section_a_code() => Assert.Equal(
        OfImages.Concat(Problems.Select(problem => problem.Code)).Distinct().Order(StringComparer.Ordinal),
        ErrorPage.Codes);

    [Fact]
    public void The_index_lists_every_code_in_its_chapter()
    {
        var chapters = File.ReadAllText(Path.Combine(Script.Repository, "docs", "errors.md")).Split("\n## ");
        Assert.Equal(LinksOf(ProblemType.OfFiles.Select(problem => problem.Code)), Listed(chapters[1]));
        var calls = OfCalls.OrderBy(problem => problem.Status).ThenBy(problem => problem.Code, StringComparer.Ordinal);
        Assert.Equal(LinksOf(calls.Select(problem => problem.Code)), Listed(chapters[2]));
        Assert.All(OfCalls, problem => Assert.Matches($@"(?m)^\| {problem.Status} \|.*`{problem.Code}`", chapters[2]));
        Assert.Equal(LinksOf(OfImages), Listed(chapters[3]));
    }

    [Fact]
    public void A_section_says_what_to_do_and_whether_a_retry_helps() => Assert.All(ErrorPage.Codes.Select(ErrorPage.Of), section =>
    {
        Assert.Matches("""(?m)^\*\*Fix:\*\* \S""", section.Text);
        Assert.Matches("""\*\*Retry:\*\* (Yes|No|Often|Once|Only|After)\b[^*]*\.\s*$""", section.Text);
    });

    [Fact]
    public void The_status_of_a_section_is_that_of_the_problem() =>
        Assert.All(Problems, problem => Assert.Equal($"{problem.Status}", ErrorPage.Of(problem.Code).When));

    [Fact]
    public void The_section_of_a_failed_image_tells_what_the_status_tells() =>
        Assert.All(OfImages, code => Assert.Contains(ErrorText.Of(code), ErrorPage.Of(code).Told));

    [Fact]
    public async Task The_type_of_a_problem_leads_to_its_section()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        foreach (var code in ErrorPage.Codes)
        {
            using var answer = await server.Client.GetAsync(ErrorPages.Path(code), Cancelled);
            var arrived = answer.RequestMessage!.RequestUri!;
            Assert.Equal($"/docs/errors/{ErrorPage.Of(code).Page}#{code}", arrived.AbsolutePath + arrived.Fragment);
            var html = await answer.Content.ReadAsStringAsync(Cancelled);
            Assert.Contains($"<h2 id=\"{code}\"><code>{code}</code></h2>", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Settings_that_are_named_are_there()
    {
        var settings = Settings.Sections.SelectMany(section => Settings.Of(section.Value).Select(property => $"{section.Key}:{property.Name}")).ToHashSet(StringComparer.Ordinal);
        var named = ErrorPage.Codes
            .SelectMany(code => Named().Matches(ErrorPage.Of(code).Text))
            .Select(match => match.Groups[1].Value)
            .ToArray();
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, settings));
    }

    [Fact]
    public async Task The_server_shows_every_page_of_the_documentation_to_anyone_and_all_its_links_lead_somewhere()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await server.Services.GetRequiredService<ApiKeys>().AddAsync("team", Cancelled);
        var pages = ErrorPage.Codes.Select(code => $"/docs/errors/{ErrorPage.Of(code).Page}").Distinct()
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

    private static IEnumerable<string> Listed(string chapter) => Linked().Matches(chapter).Select(match => match.Value);

    private static IEnumerable<string> LinksOf(IEnumerable<string> codes) => codes.Select(code => ErrorPage.Of(code).Link);

    [GeneratedRegex(@"\[`(\w+)`\]\(errors/\w+\.md#\1\)")]
    private static partial Regex Linked();

    [GeneratedRegex("`([A-Z][A-Za-z]+:[A-Z][A-Za-z]+)`")]
    private static partial Regex Named();

    [GeneratedRegex("<(pre|code)\\b[^>]*>.*?</\\1>", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex("<a href=\"([^\"]+)\"")]
    private static partial Regex Links();
}
