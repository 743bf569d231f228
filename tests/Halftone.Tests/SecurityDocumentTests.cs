using System.Text.RegularExpressions;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

public sealed partial class SecurityDocumentTests
{
    private static readonly string[] Rows =
        [
            .. File.ReadLines(Path.Combine(Script.Repository, "SECURITY.md"))
                .SkipWhile(line => !line.StartsWith("| attack |", StringComparison.Ordinal))
                .Skip(2)
                .TakeWhile(line => line.StartsWith('|')),
        ];

    [Fact]
    public void Every_attack_has_a_defence_and_a_test_that_is_there()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Script.Repository, "tests"), "*Tests.cs", SearchOption.AllDirectories).ToLookup(
            file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);
        Assert.InRange(Rows.Length, 50, int.MaxValue);
        foreach (var row in Rows)
        {
            var test = TestName().Match(row);
            Assert.True(test.Success, row);
            var (type, method) = (test.Groups["type"].Value, test.Groups["method"].Value);
            Assert.True(
                sources[type].Any(
                    source => Regex.IsMatch(source, $@"\n    \[(Fact|Theory).*\n(    .*\n)*?    (public|internal) .* {method}\(")),
                $"{type}.{method} is not there");
        }
    }

    [Fact]
    public void Every_switch_is_of_a_test_in_the_table()
    {
        var switches = SwitchedTest()
            .Matches(File.ReadAllText(Path.Combine(Script.Repository, "tests", "switches", "switches.py")))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .ToArray();
        Assert.NotEmpty(switches);
        Assert.All(switches, name => Assert.Contains(Rows, row => row.Contains($"`{name}`", StringComparison.Ordinal)));
        Assert.All(Rows, row => Assert.Contains(switches, name => row.Contains($"`{name}`", StringComparison.Ordinal)));
    }

    [Fact]
    public Task Every_switch_finds_the_line_that_it_takes_out() =>
        Script.PythonAsync("../switches/run", "--check", "", TestContext.Current.CancellationToken);

    [GeneratedRegex(@"\| `(?<type>\w+)\.(?<method>\w+)` \|$")]
    private static partial Regex TestName();

    [GeneratedRegex(@"test=""([\w.]+)""")]
    private static partial Regex SwitchedTest();
}
