using Halftone.Tests.Servers;

namespace Halftone.Tests.House;

/// <summary>Lines of code fit into two windows side by side. A failure names file, line and length.</summary>
public sealed class LongLineTests
{
    private const int Longest = 140;

    private static readonly string[] Scope = ["src", "tests", "bench"];

    private static readonly string[] Skipped = ["/bin/", "/obj/"];

    [Fact]
    public void No_line_is_longer_than_140_columns() => Assert.Empty(
        from folder in Scope
        from file in Directory.EnumerateFiles(Path.Combine(Script.Repository, folder), "*.cs", SearchOption.AllDirectories)
        where !Skipped.Any(part => file.Contains(part, StringComparison.Ordinal))
        from found in Found(Path.GetRelativePath(Script.Repository, file), File.ReadAllLines(file))
        select found);

    [Fact]
    public void A_line_of_141_columns_is_found_with_its_number() => Assert.Equal(
        ["A.cs:2: 141 columns"],
        Found("A.cs", [new string('a', Longest), new string('b', Longest + 1), ""]));

    private static IEnumerable<string> Found(string file, string[] lines) =>
        from number in Enumerable.Range(1, lines.Length)
        where lines[number - 1].Length > Longest
        select $"{file}:{number}: {lines[number - 1].Length} columns";
}
