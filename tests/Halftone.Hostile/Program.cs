using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Halftone.Crash;
using Halftone.Hostile.Fuzz;

namespace Halftone.Hostile;

/// <summary>
/// Attacks on the real server process, at length and with figures; the tests run each of them in short.
/// <code>
/// origins [--kinds all|endless|hostages|slow|quick] [--origins 60] [--good 200]   misbehaving image hosts
/// dead [--rows 10000]                                                              rows of a host that is not there
/// load                                                                             slow, many, broken and smuggled requests
/// images                                                                           hostile image files
/// fuzz [--minutes 60] [--targets csv,urls,…] [--seed 1]                            mutated input, the targets in turns
/// captured … a codec child that was taken over, for the tests; see CapturedChild
/// </code>
/// Each takes <c>--server PATH</c>, the halftone executable; by default the one that was built with it. Ends with 0 where nothing went
/// wrong.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is ["captured", ..] && OperatingSystem.IsLinux())
        {
            return CapturedChild.Run(args[1..]);
        }

        var options = args
            .Skip(1)
            .Chunk(2)
            .Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0].TrimStart('-'), pair => pair[1], StringComparer.Ordinal);
        var program = options.GetValueOrDefault("server") ?? ServerProcess.DefaultProgram;
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        switch (args.FirstOrDefault())
        {
            case "origins":
                return await OriginsAsync(program, options, stop.Token);
            case "load":
                return await LoadAsync(program, stop.Token);
            case "dead":
                return await DeadHostAsync(program, Number(options, "rows", 10_000), stop.Token);
            case "images":
                return await ImagesAsync(program, stop.Token);
            case "fuzz":
                return await FuzzAsync(program, options, stop.Token);
            default:
                await Console.Error.WriteLineAsync("origins | dead | load | images | fuzz; see Program.cs for their options.");
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
        var report = await new OriginsScenario(program, kinds, Number(options, "origins", 60), Number(options, "good", 200)).RunAsync(
            cancellationToken);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            good rows alone {report.GoodAlone.TotalSeconds:0.0} s, beside {report.GoodBeside.TotalSeconds:0.0} s
            good rows on the hostile hosts {report.GoodOnHostileHosts.TotalSeconds:0.0} s; hostile rows {report.Hostile.TotalSeconds:0.0} s
            most requests for one URL {report.MostRequestsForOneUrl.Values.Max()} ({string.Join(
                ", ",
                report.MostRequestsForOneUrl.OrderByDescending(kind => kind.Value)
                    .Take(5)
                    .Select(kind => $"{kind.Key} {kind.Value}"))}), longest {report.LongestRequest.TotalSeconds:0.0} s
            memory: tree {report.TreePeakMiB} MiB at most, server {report.ServerPeakMiB} MiB; tree afterwards {report.TreeAfterMiB} MiB
            """));
        return Say(report.Wrong);
    }

    private static async Task<int> LoadAsync(string program, CancellationToken cancellationToken)
    {
        await using var server = await ServerUnderAttack.StartAsync(program, ("Intake:MaxBodyBytes", "20000000"));
        var load = new LoadScenario(server);
        var report = await load.RunAsync(cancellationToken);
        var cases = await RequestCases.RunAsync(server.Port, RequestCases.All, cancellationToken);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            beside {LoadScenario.SlowClients} slow clients: {LoadScenario.Calls} calls, slowest {report.SlowestBeside.TotalSeconds:0.00} s
            {load.Uploads} uploads at once: {string.Join(
                ", ",
                report.UploadStatuses.Select(
                    status => $"{status.Key} x {status.Value}"))}, all ended after {report.UploadsTook.TotalSeconds:0.0} s
            {load.JsonUploads} uploads of 7 MiB of JSON at once: {string.Join(
                ", ", report.JsonStatuses.Select(status => $"{status.Key} x {status.Value}"))}
            {RequestCases.All.Count} odd requests: {string.Join(
                ", ", cases.Statuses.Select(status => $"{status.Key} x {status.Value}"))}; slowest {cases.Slowest.TotalSeconds:0.00} s
            memory of the tree {server.TreePeakMiB} MiB at most, server {server.ServerPeakMiB} MiB
            """));
        return Say([.. report.Wrong, .. cases.Wrong, .. server.IsAlive ? Array.Empty<string>() : ["The server has ended."]]);
    }

    private static async Task<int> DeadHostAsync(string program, int rows, CancellationToken cancellationToken)
    {
        var dead = $"http://127.0.0.1:{HostileOrigin.ClosedPort()}";
        await using var server = await ServerUnderAttack.StartAsync(program);
        var clock = Stopwatch.StartNew();
        var status = await server.WaitForEndAsync(
            await server.UploadAsync(Enumerable.Range(0, rows).Select(row => $"{dead}/{row}.jpg"), cancellationToken), cancellationToken);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{rows:N0} rows of a dead host ended after {clock.Elapsed.TotalSeconds:0.0} s: {status.GetProperty("errors")}"));
        return Say(clock.Elapsed < TimeSpan.FromSeconds(60) ? [] : ["It took more than 60 s."]);
    }

    private static async Task<int> ImagesAsync(string program, CancellationToken cancellationToken)
    {
        var report = await new ImagesScenario(program, ImageFiles.All(), Console.Out).RunAsync(cancellationToken);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {report.Files} files, {report.Completed} completed; {string.Join(
                ", ", report.Errors.Select(error => $"{error.Key} {error.Value}"))}
            slowest {report.Slowest.Took.TotalSeconds:0.0} s ({report.Slowest.Name})
            most memory of the tree {report.Largest.MiB} MiB ({report.Largest.Name})
            """));
        return Say(report.Wrong);
    }

    /// <summary>In turns of ten seconds, so that a run that is ended early has tried all of them.</summary>
    private static async Task<int> FuzzAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        var end = TimeSpan.FromMinutes(Number(options, "minutes", 60));
        var runs = new List<(string Name, FuzzTarget Target, FuzzRun Run)>();
        foreach (var name in options.TryGetValue("targets", out var names) ? names.Split(',') : [.. FuzzTarget.Known.Keys])
        {
            var target = await FuzzTarget.Known[name](program);
            runs.Add((
                name,
                target,
                new FuzzRun(
                    target,
                    Number(options, "seed", 1),
                    finding => Console.Out.WriteLineAsync(
                        $"{name} {finding.Number}: {finding.Story}\n  {Convert.ToBase64String(finding.Input)}"))));
        }

        var clock = Stopwatch.StartNew();
        var shown = TimeSpan.Zero;
        while (clock.Elapsed < end && !cancellationToken.IsCancellationRequested)
        {
            foreach (var (_, _, run) in runs)
            {
                await run.RunAsync(TimeSpan.FromSeconds(10), cancellationToken);
            }

            if (clock.Elapsed - shown > TimeSpan.FromMinutes(5) || clock.Elapsed >= end)
            {
                shown = clock.Elapsed;
                runs.ForEach(run => Console.WriteLine($"""{clock.Elapsed:hh\:mm\:ss} {run.Name}: {run.Run}"""));
            }
        }

        foreach (var (_, target, _) in runs)
        {
            await target.DisposeAsync();
        }

        Console.WriteLine($"""{clock.Elapsed:hh\:mm\:ss}: {runs.Sum(run => run.Run.Executions):N0} executions""");
        return Say([.. runs.SelectMany(run => run.Run.Findings.Select(finding => $"{run.Name} {finding.Number}"))]);
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
