using System.Diagnostics;
using System.Globalization;

namespace Halftone.Hostile.Fuzz;

/// <summary>Inputs one after the other for a time, and what came of them.</summary>
internal sealed class FuzzRun(FuzzTarget target, int seed, Func<FuzzRun.Finding, Task> found)
{
    /// <summary>No input may take longer, on a machine that others use too.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly SortedDictionary<string, int> outcomes = new(StringComparer.Ordinal);
    private readonly List<Finding> findings = [];
    private int executions;

    /// <param name="Number">Which makes the input again.</param>
    /// <param name="Input">The bytes.</param>
    /// <param name="Story">What it did.</param>
    public sealed record Finding(int Number, byte[] Input, string Story);

    public int Executions => executions;

    public IReadOnlyDictionary<string, int> Outcomes => outcomes;

    public IReadOnlyList<Finding> Findings => findings;

    public TimeSpan Slowest { get; private set; }

    /// <summary>Goes on for a time, or until it has found ten things.</summary>
    public async Task RunAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < time && findings.Count < 10 && !cancellationToken.IsCancellationRequested)
        {
            var results = await Task.WhenAll(
                Enumerable.Range(seed + executions, target.AtOnce).Select(number => TryAsync(number, cancellationToken)));
            executions += results.Length;
            foreach (var (outcome, finding, took) in results)
            {
                Slowest = took > Slowest ? took : Slowest;
                if (finding is not null)
                {
                    findings.Add(finding);
                    await found(finding);
                }
                else
                {
                    outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
                }
            }
        }
    }

    private async Task<(string Outcome, Finding? Finding, TimeSpan Took)> TryAsync(int number, CancellationToken cancellationToken)
    {
        var input = new Mutator(target, number).Next();
        var clock = Stopwatch.StartNew();
        try
        {
            return (await target.TryAsync(input, cancellationToken).WaitAsync(Longest, cancellationToken), null, clock.Elapsed);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ("stopped", null, clock.Elapsed);
        }
#pragma warning disable CA1031 // Whatever it threw is what we are here for.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return ("", new Finding(number, input, exception is FuzzException ? exception.Message : exception.ToString()), clock.Elapsed);
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Executions:N0} executions, {Findings.Count} findings, slowest {Slowest.TotalSeconds:0.00} s; "
            + $"{string.Join(", ", CommonestOutcomes(12))}");

    private IEnumerable<string> CommonestOutcomes(int count) =>
        outcomes.OrderByDescending(outcome => outcome.Value).Take(count).Select(outcome => $"{outcome.Key} {outcome.Value}");
}
