using Halftone.Crash;
using Halftone.Hostile.Fuzz;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Hostile;

/// <summary>A slice of what <c>Halftone.Hostile fuzz --minutes 60</c> does for an hour, and everything that it ever found.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private static readonly string Corpus = Path.Combine(Script.Repository, "tests", "Halftone.Hostile", "corpus");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string> Targets => [.. FuzzTarget.Known.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Mutated_input_comes_to_an_end_and_to_a_value(string name)
    {
        await using var target = await FuzzTarget.Known[name](ServerProcess.DefaultProgram);
        var run = new FuzzRun(target, seed: 1, _ => Task.CompletedTask);

        await run.RunAsync(TimeSpan.FromSeconds(1), Cancelled);

        output.WriteLine($"{name}: {run}");
        Assert.Empty(run.Findings.Select(finding => $"{finding.Number}: {finding.Story} {Convert.ToBase64String(finding.Input)}"));
        Assert.NotEqual(0, run.Executions);
    }

    /// <summary>corpus/TARGET-WHAT: the input as it was found.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public async Task What_was_found_once_is_not_found_again(string name)
    {
        var files = Directory.GetFiles(Corpus, name + "-*");
        if (files.Length == 0)
        {
            return;
        }

        await using var target = await FuzzTarget.Known[name](ServerProcess.DefaultProgram);
        foreach (var file in files)
        {
            output.WriteLine(
                $"{Path.GetFileName(file)}: {await target.TryAsync(await File.ReadAllBytesAsync(file, Cancelled), Cancelled)}");
        }
    }
}
