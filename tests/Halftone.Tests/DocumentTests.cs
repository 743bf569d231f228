using System.Text.RegularExpressions;
using Halftone.Commands;
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

    private static IEnumerable<string> FirstCells(string document) => Rows().Matches(Read(document)).Select(match => match.Groups[1].Value);

    private static string Read(string document) => File.ReadAllText(Path.Combine(Script.Repository, document));

    [GeneratedRegex(@"^\| `([\w:]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
