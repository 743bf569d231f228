using System.CommandLine;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Halftone.Cli;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Cli;

/// <summary>docs/cli.md names every verb, argument and option in the words of <c>--help</c>, and no other.</summary>
public sealed partial class CliDocumentTests
{
    private const string Beginning = "## Every verb\n";
    private static readonly string Document = File.ReadAllText(Path.Combine(Script.Repository, "docs", "cli.md"));

    [Fact]
    public void The_reference_says_what_help_says()
    {
        var expected = Reference();
        var copy = Path.Combine(AppContext.BaseDirectory, "cli-reference.md");
        File.WriteAllText(copy, expected);
        var begins = Document.IndexOf(Beginning, StringComparison.Ordinal);
        Assert.True(begins >= 0 && Document[begins..] == expected, $"docs/cli.md differs from the command line: from '## Every verb' on it should be {Path.GetRelativePath(Script.Repository, copy)}.");
    }

    [Fact]
    public void Every_exit_code_is_explained()
    {
        var codes = typeof(ExitCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetRawConstantValue()!.ToString());
        Assert.Equal(codes.Order(StringComparer.Ordinal), ExitCodes().Matches(Document).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_verb_has_help()
    {
        foreach (var (path, command) in Verbs(Program.CreateRoot(), []))
        {
            var help = await Verb.RunAsync([.. path, "--help"]);
            Assert.Equal(0, help.ExitCode);
            Assert.Contains(command.Description!, help.Output.Replace("\n", " ").Replace("  ", " "));
        }
    }

    /// <summary>The reference as it must be: a section for each verb that does something.</summary>
    private static string Reference()
    {
        var text = new StringBuilder(Beginning);
        foreach (var (path, command) in Verbs(Program.CreateRoot(), []))
        {
            var arguments = command.Arguments.Select(argument => argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name);
            var required = command.Options.Where(option => option.Required).Select(option => $"{option.Name} {option.HelpName}");
            text.Append($"\n### `halftone {string.Join(' ', [.. path, .. arguments, .. required])}`\n\n{command.Description}\n");
            var rows = command.Arguments.Select(argument => (argument.Name, argument.Description))
                .Concat(command.Options.Where(option => option.Name != "--help").Select(option => (Name: $"{option.Name} {(option.ValueType == typeof(bool) ? "" : option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant())}".TrimEnd(), option.Description)))
                .ToArray();
            if (rows.Length > 0)
            {
                text.Append("\n| | |\n| --- | --- |\n");
            }

            foreach (var (name, description) in rows)
            {
                text.Append($"| `{name}` | {description!.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<(string[] Path, Command Command)> Verbs(Command command, string[] path)
    {
        foreach (var verb in command.Subcommands.Where(verb => !verb.Hidden))
        {
            string[] deeper = [.. path, verb.Name];
            foreach (var found in verb.Subcommands.Count == 0 ? [(deeper, verb)] : Verbs(verb, deeper))
            {
                yield return found;
            }
        }
    }

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex ExitCodes();
}
