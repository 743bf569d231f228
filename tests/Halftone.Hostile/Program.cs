using System.Globalization;
using System.Runtime.InteropServices;
using Halftone.Crash;

namespace Halftone.Hostile;

/// <summary>
/// Attacks on the real server process, at length and with figures; the tests run each of them in short.
/// <code>
/// origins [--kinds all|endless|hostages|slow|quick] [--origins 60] [--good 200]   misbehaving image hosts
/// </code>
/// Each takes <c>--server PATH</c>, the halftone executable; by default the one that was built with it. Ends with 0 where nothing went wrong.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        var options = args.Skip(1).Chunk(2).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0].TrimStart('-'), pair => pair[1], StringComparer.Ordinal);
        var program = options.GetValueOrDefault("server") ?? ServerProcess.DefaultProgram;
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        switch (args.FirstOrDefault())
        {
            case "origins":
                return await OriginsAsync(program, options, stop.Token);
            default:
                await Console.Error.WriteLineAsync("origins; see Program.cs for their options.");
                return 2;
        }

        // The servers and everything else that was started ends with the scenario.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static async Task<int> OriginsAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        var kinds = options.GetValueOrDefault("kinds", "all") switch
        {
            "endless" => Misbehaviour.Endless,
            "hostages" => Misbehaviour.Hostages,
            "slow" => Misbehaviour.Slow,
            "quick" => Misbehaviour.Quick,
            _ => Misbehaviour.All,
        };
        var report = await new OriginsScenario(program, kinds, Number(options, "origins", 60), Number(options, "good", 200)).RunAsync(cancellationToken);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            good rows alone {report.GoodAlone.TotalSeconds:0.0} s, beside {report.GoodBeside.TotalSeconds:0.0} s; good rows on the hostile hosts {report.GoodOnHostileHosts.TotalSeconds:0.0} s; hostile rows {report.Hostile.TotalSeconds:0.0} s
            most requests for one URL {report.MostRequestsForOneUrl.Values.Max()} ({string.Join(", ", report.MostRequestsForOneUrl.OrderByDescending(kind => kind.Value).Take(5).Select(kind => $"{kind.Key} {kind.Value}"))}), longest {report.LongestRequest.TotalSeconds:0.0} s
            memory: tree {report.TreePeakMiB} MiB at most, server {report.ServerPeakMiB} MiB; tree afterwards {report.TreeAfterMiB} MiB
            """));
        return Say(report.Wrong);
    }

    private static int Say(IReadOnlyList<string> wrong)
    {
        foreach (var sentence in wrong.Take(100))
        {
            Console.WriteLine(sentence);
        }

        Console.WriteLine($"wrong {wrong.Count}");
        return wrong.Count == 0 ? 0 : 1;
    }

    private static int Number(Dictionary<string, string> options, string name, int otherwise) =>
        options.TryGetValue(name, out var value) ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
