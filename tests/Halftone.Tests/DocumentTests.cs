using System.Text.RegularExpressions;
using Halftone.Hosting;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

public sealed partial class DocumentTests
{
    [Fact]
    public void Configuration_lists_every_setting_and_no_other()
    {
        var settings = Settings.Sections.SelectMany(section => Settings.Of(section.Value).Select(property => $"{section.Key}:{property.Name}")).Order(StringComparer.Ordinal);
        Assert.Equal(settings, FirstCells("docs/configuration.md").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_setting_that_is_mentioned_exists()
    {
        var settings = Settings.Sections.SelectMany(section => Settings.Of(section.Value).Select(property => $"{section.Key}:{property.Name}"));
        string[] known = [.. settings, .. Settings.Sections.Select(section => section.Key)];
        var unknown =
            from page in Pages()
            from Match mention in Mentions().Matches(WithoutCode(Read(page)))
            let name = mention.Groups[1].Value
            where !known.Contains(name) && !name.StartsWith("Logging:", StringComparison.Ordinal)
            select $"{page}: {name}";
        Assert.Equal([], unknown);
    }

    [Fact]
    public void Every_link_leads_to_a_file_and_to_a_heading_in_it()
    {
        var dead = Pages().SelectMany(page => Links().Matches(WithoutCode(Read(page))).Select(match => match.Groups[1].Value).Where(link => !Leads(page, link)).Select(link => $"{page}: {link}"));
        Assert.Equal([], dead);
    }

    [Fact]
    public void The_readme_links_every_page_of_the_documentation()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(Script.Repository, "docs"), "*.md").Select(path => $"](docs/{Path.GetFileName(path)})");
        Assert.All(pages, page => Assert.Contains(page, Read("README.md")));
    }

    [Fact]
    public void No_command_gives_curl_a_value_that_it_would_cut_at_a_semicolon()
    {
        Assert.All(Pages(), page => Assert.DoesNotMatch(CutField(), Read(page)));
        Assert.Matches(CutField(), "curl -F file=@products.csv -F 'variants=thumb;zoom:quality=70'");
    }

    /// <summary>Every page for people, from the top of the repository.</summary>
    private static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(Script.Repository, "*.md")
            .Concat(new[] { "docs", "bench", "samples", "tests", "postman" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Script.Repository, folder), "*.md", SearchOption.AllDirectories)))
            .Select(path => Path.GetRelativePath(Script.Repository, path))
            .Where(path => !path.Contains("node_modules", StringComparison.Ordinal));

    private static bool Leads(string page, string link)
    {
        var parts = link.Split('#', 2);
        if (parts[0].Contains("://", StringComparison.Ordinal) || parts[0].StartsWith("mailto:", StringComparison.Ordinal))
        {
            return true;
        }

        var target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        return Path.Exists(Path.Combine(Script.Repository, target)) && (parts.Length == 1 || Headings().Matches(WithoutCode(Read(target))).Select(match => Anchor(match.Groups[1].Value)).Contains(parts[1]));
    }

    /// <summary>As GitHub makes it of a heading.</summary>
    private static string Anchor(string heading) => NoAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    private static string WithoutCode(string text) => Code().Replace(text, "");

    private static IEnumerable<string> FirstCells(string document) => Rows().Matches(Read(document)).Select(match => match.Groups[1].Value);

    private static string Read(string document) => File.ReadAllText(Path.Combine(Script.Repository, document));

    [GeneratedRegex("`([A-Z]\\w+(?::[A-Z]\\w+)+)`")]
    private static partial Regex Mentions();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"-F ('[^'\n]*;|""[^""\n]*;|[^\s'""]*;)")]
    private static partial Regex CutField();

    [GeneratedRegex(@"^#+ (.+?)\s*$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^\| `([\w:]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
