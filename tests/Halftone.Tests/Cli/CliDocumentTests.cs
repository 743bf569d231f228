using System.CommandLine;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Halftone.Cli;
using Halftone.Tests.Contract;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Cli;

/// <summary>docs/cli.md names every verb, argument and option in the words of <c>--help</c>, and no other.</summary>
public sealed partial class CliDocumentTests
{
    private const string Beginning = "## Every verb\n";
    private static readonly string Document = File.ReadAllText(Path.Combine(Script.Repository, "docs", "cli.md"));

    [Fact]
    public Task The_reference_says_what_help_says()
    {
        var before = Document[..Document.IndexOf(Beginning, StringComparison.Ordinal)];
        return ContractFiles.AssertIsAsync("docs/cli.md", before + Reference(), TestContext.Current.CancellationToken);
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

    /// <summary>The reference as it must be: options that several verbs have, then a section for each verb that does something.</summary>
    private static string Reference()
    {
        var text = new StringBuilder(Beginning);
        var verbs = Verbs(Program.CreateRoot(), [])
            .Select(verb => (verb.Path, verb.Command, Options: OptionsOf(verb.Command).ToArray()))
            .ToArray();
        var shared = verbs.SelectMany(verb => verb.Options)
            .GroupBy(option => option)
            .Where(option => option.Count() > 1)
            .Select(option => option.Key)
            .ToHashSet();
        text.Append("\nOptions of several verbs:\n\n");
        foreach (var (name, description) in shared)
        {
            text.Append($"- `{name}`: {description}\n");
        }

        foreach (var (path, command, options) in verbs)
        {
            var arguments = command.Arguments.Select(argument => argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name);
            var required = command.Options.Where(option => option.Required).Select(option => $"{option.Name} {option.HelpName}");
            text.Append($"\n### `halftone {string.Join(' ', [.. path, .. arguments, .. required])}`\n\n{command.Description}\n\n");
            var own = command.Arguments.Select(argument => (argument.Name, argument.Description));
            foreach (var (name, description) in own.Concat(options.Where(option => !shared.Contains(option))))
            {
                text.Append($"- `{name}`: {description}\n");
            }

            if (options.Where(shared.Contains).Select(option => $"`{option.Name.Split(' ')[0]}`").ToArray() is { Length: > 0 } others)
            {
                text.Append($"- {string.Join(", ", others)}\n");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<(string Name, string? Description)> OptionsOf(Command command) =>
        from option in command.Options
        where option.Name != "--help"
        let value = option.ValueType == typeof(bool) ? "" : option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant()
        select ($"{option.Name} {value}".TrimEnd(), option.Description);

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
