using System.Text.RegularExpressions;
using Halftone.Tests.Servers;

namespace Halftone.Tests.House;

/// <summary>Phrases that make native readers stumble. A failure names file, line, phrase, and what to write instead.</summary>
public sealed partial class BannedWordsTests
{
    /// <summary>
    /// The files that are read, and their lines that are words of ours: documents, doc comments and string literals of the code, and the
    /// page.
    /// docs/api.md and docs/cli.md are generated from doc comments and descriptions of options, so their words belong to the code.
    /// </summary>
    private static readonly (string Folder, string Pattern, Func<string[], IEnumerable<(int Line, string Text)>> Words)[] Scope =
    [
        ("", "*.md", MarkdownWords),
        ("src/Halftone", "*.cs", CSharpWords),
        ("src/Halftone.Csv", "*.cs", CSharpWords),
        ("src/Halftone/Api/Page/wwwroot", "*.html", AllWords),
        ("src/Halftone/Api/Page/wwwroot", "*.js", AllWords),
    ];

    private static readonly string[] Generated = ["docs/api.md", "docs/cli.md"];
    private static readonly string[] Skipped = ["/artifacts/", "/node_modules/", "/.git/", "/bin/", "/obj/"];

    /// <summary>A pattern, ignoring case, and what to write instead.</summary>
    private static readonly (Regex Pattern, string Instead)[] Banned =
    [
        (Word(@"(goes|go|went|going) on(?! (to|with) (the|a) next| sale)"), "resumes, continues"),
        (Word("anew"), "again"),
        (Word(@"for one(?=[,.;:)])|(?<=, )for one"), "for example"),
        (Word("whoever|whomever"), "anyone who"),
        (Word(@"(ends?|ended|ending|stops?|stopped|stopping)( \w+)? in order(?! (to|of))"), "gracefully"),
        (Word(@"(stands?|stood) (in|on|at|behind|beside|before|under|below|above|between|there|aside)(?!-)"), "is in, is after"),
        (Word(@"(lies|lay) (in|on|at|behind|beside|between|there)"), "is in"),
        (Word("had of"), "received from"),
        (Word("none any more|is none of ours"), "no longer exists, unknown"),
        (Word(@"(this|that|it) is no(?= (?!longer|more|less|better|worse|use)[a-z])"), "is not a"),
        (Word("what (of it|of them|is to be|there is of)"), "which of these, pending work"),
        (Word("never not at all"), "at least once"),
        (Word(@"the (most|least) \w+ that"), "maximum, minimum"),
        (Word("as it comes"), "by default"),
        (Word("mend|mends|mended|mending"), "fix, repair"),
        (Word("sees? to it"), "ensures, makes sure"),
        (Word("the one who"), "anyone who"),
        (Word("without a word"), "silently"),
        (Word("of before(?=[,.;:])"), "earlier"),
    ];

    [Fact]
    public void No_banned_phrase_is_written()
    {
        var found = from scope in Scope
                    from file in Files(scope.Folder, scope.Pattern)
                    from phrase in Found(file, scope.Words(File.ReadAllLines(file)))
                    select phrase;
        var all = string.Join('\n', found);
        Assert.True(all.Length == 0, all);
    }

    [Theory]
    [InlineData("The run goes on, for one, and is made anew.", 3)]
    [InlineData("Whoever stops it in order finds what was had of it.", 3)]
    [InlineData("- It stands in the database; this is no web address.", 2)]
    [InlineData("> quoted: made anew", 0)]
    [InlineData("A stand-in goes on to the next page in order to go on sale.", 0)]
    public void A_phrase_in_a_document_is_found(string line, int count) =>
        Assert.Equal(count, Found("file.md", MarkdownWords([line])).Count());

    [Theory]
    [InlineData("    /// <summary>Made anew.</summary>", 1)]
    [InlineData("    throw new InvalidOperationException(\"made anew\");", 1)]
    [InlineData("    var anew = Anew(); // made anew", 0)]
    public void A_phrase_in_a_doc_comment_or_a_string_is_found(string line, int count) =>
        Assert.Equal(count, Found("file.cs", CSharpWords([line])).Count());

    private static IEnumerable<string> Files(string folder, string pattern) => Directory
        .EnumerateFiles(Path.Combine(Script.Repository, folder), pattern, SearchOption.AllDirectories)
        .Where(file => !Skipped.Any(part => file[Script.Repository.Length..].Contains(part, StringComparison.Ordinal)))
        .Where(file => !Generated.Contains(Path.GetRelativePath(Script.Repository, file)));

    private static IEnumerable<string> Found(string file, IEnumerable<(int Line, string Text)> words) =>
        from line in words
        from banned in Banned
        from Match match in banned.Pattern.Matches(line.Text)
        select $"{Path.GetRelativePath(Script.Repository, file)}:{line.Line}: '{match.Value}'; write: {banned.Instead}";

    /// <summary>All but code blocks and quotations, which show what the code says.</summary>
    private static IEnumerable<(int Line, string Text)> MarkdownWords(string[] lines)
    {
        var isCode = false;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                isCode = !isCode;
            }
            else if (!isCode && !lines[i].StartsWith('>') && !lines[i].StartsWith("    ", StringComparison.Ordinal))
            {
                yield return (i + 1, lines[i]);
            }
        }
    }

    /// <summary>Doc comments and string literals, raw ones too.</summary>
    private static IEnumerable<(int Line, string Text)> CSharpWords(string[] lines)
    {
        var isRaw = false;
        for (var i = 0; i < lines.Length; i++)
        {
            var text = lines[i].TrimStart();
            if (text.Split("\"\"\"").Length % 2 == 0)
            {
                isRaw = !isRaw;
            }
            else if (isRaw || text.StartsWith("///", StringComparison.Ordinal))
            {
                yield return (i + 1, text);
            }
            else
            {
                yield return (i + 1, string.Join('\n', Literals().Matches(text).Select(literal => literal.Value)));
            }
        }
    }

    /// <summary>Every line: the page is words and scripts, and neither uses a banned phrase otherwise.</summary>
    private static IEnumerable<(int Line, string Text)> AllWords(string[] lines) => lines.Select((line, i) => (i + 1, line));

    private static Regex Word(string pattern) => new($@"\b({pattern})(?!\w)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Literals();
}
