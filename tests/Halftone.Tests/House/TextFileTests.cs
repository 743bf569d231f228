using System.Text;
using Halftone.Tests.Servers;

namespace Halftone.Tests.House;

/// <summary>
/// The rules of <c>.editorconfig</c> for whole files, which the compiler does not look at. What it does look at (IDE0055) is an error of
/// the build.
/// </summary>
public sealed class TextFileTests
{
    private static readonly string[] Endings =
        [".cs", ".csproj", ".props", ".targets", ".slnx", ".json", ".yml", ".yaml", ".md", ".sql", ".py", ".mjs", ".js", ".css", ".html"];

    private static readonly string[] Made = [".git", ".vs", ".idea", "artifacts", "bin", "obj", "node_modules", "Generated"];

    /// <summary>Input of tests is as it was found, whatever it is.</summary>
    private static readonly string[] LeftAlone = ["/corpus/", "/packages.lock.json", "/samples/"];

    [Fact]
    public async Task Every_text_file_is_UTF8_without_a_mark_with_line_feeds_and_no_blanks_at_line_ends_and_ends_with_one_newline()
    {
        var wrong = new List<string>();
        foreach (var file in Files(Script.Repository))
        {
            var name = Path.GetRelativePath(Script.Repository, file);
            if (Endings.Contains(Path.GetExtension(name)) && !LeftAlone.Any(part => $"/{name}".Contains(part, StringComparison.Ordinal)))
            {
                wrong.AddRange(Problems(name, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)));
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("a.cs", "\uFEFFa\n", "a.cs: begins with a byte order mark")]
    [InlineData("a.cs", "a\r\nb\n", "a.cs: has carriage returns")]
    [InlineData("a.cs", "a\nb \nc\n", "a.cs:2: ends with a blank")]
    [InlineData("a.cs", "a\n\tb\n", "a.cs:2: has a tab")]
    [InlineData("a.cs", "a\nb", "a.cs: does not end with one newline")]
    [InlineData("a.cs", "a\n\n", "a.cs: does not end with one newline")]
    public void What_is_wrong_is_named(string file, string text, string expected) =>
        Assert.Equal([expected], Problems(file, Encoding.UTF8.GetBytes(text)));

    /// <summary>Every file but those that a build or a package manager made.</summary>
    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder).Concat(
        Directory.EnumerateDirectories(folder).Where(inner => !Made.Contains(Path.GetFileName(inner))).SelectMany(Files));

    private static IEnumerable<string> Problems(string file, byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            yield break;
        }

        if (bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble))
        {
            yield return $"{file}: begins with a byte order mark";
        }

        if (bytes.Contains((byte)'\r'))
        {
            yield return $"{file}: has carriage returns";
            yield break;
        }

        if (bytes[^1] != '\n' || bytes.AsSpan().EndsWith("\n\n"u8))
        {
            yield return $"{file}: does not end with one newline";
        }

        // Two blanks at the end of a line of Markdown break it.
        var mayEndWithBlanks = file.EndsWith(".md", StringComparison.Ordinal);
        foreach (var (index, line) in Encoding.UTF8.GetString(bytes).Split('\n').Index())
        {
            if (!mayEndWithBlanks && line.EndsWith(' '))
            {
                yield return $"{file}:{index + 1}: ends with a blank";
            }

            if (line.Contains('\t', StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal))
            {
                yield return $"{file}:{index + 1}: has a tab";
            }
        }
    }
}
