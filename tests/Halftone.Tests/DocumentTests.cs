using System.Text.RegularExpressions;
using Halftone.Codec;
using Halftone.Commands;
using Halftone.Fetch;
using Halftone.Status;
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
    public void Errors_lists_every_code_with_what_users_are_told()
    {
        var codes = Enum.GetValues<FetchError>().Select(ErrorCode.Of).Concat(Enum.GetValues<CodecError>().Select(ErrorCode.Of)).Append(ErrorCode.WorkerCrashed).ToArray();
        Assert.Equal(codes.Order(StringComparer.Ordinal), FirstCells("docs/errors.md").Order(StringComparer.Ordinal));
        var text = Read("docs/errors.md");
        Assert.All(codes, code => Assert.Contains(ErrorText.Of(code), text));
    }

    private static IEnumerable<string> FirstCells(string document) => Rows().Matches(Read(document)).Select(match => match.Groups[1].Value);

    private static string Read(string document) => File.ReadAllText(Path.Combine(Script.Repository, document));

    [GeneratedRegex(@"^\| `([\w:]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
