using System.Diagnostics;
using System.Globalization;

namespace Halftone.Crash;

/// <summary>
/// The crash harness: real processes, real signals, and an examination of what is left.
/// <code>
/// kills  [--rounds 100] [--seed 1] [--mode all|group|parent|children|pause] [--in-flight 100] [--pause 60 (seconds)]
/// strace [--kinds rename,fsync,…] [--from 1] [--step 1]
/// races  [--rounds 200] [--seed 1]
/// faults [--rounds 50] [--seed 1] [--in-flight 100] [--workers 3] [--queue-nodes 1|3] [--outage 60 (seconds)] [--only "kill worker,queue
/// outage,…"]
/// serve  [--workers 3] [--queue-nodes 1|3]
/// </code>
/// faults and serve start PostgreSQL, RabbitMQ and Ceph's S3 of their own, an api and workers; serve does nothing to them, tells where they
/// are and
/// ends with the end of its input.
/// Each takes <c>--server PATH</c>, the halftone executable; by default the one that was built with it. kills and races take
/// <c>--database</c>, the
/// connection string of an empty PostgreSQL database. Ends with 0 where nothing was lost, doubled,
/// orphaned or wrong.
/// </summary>
internal static class Program
{
    private static readonly string[] Names =
        [
            "rounds", "seed", "mode", "in-flight", "pause", "kinds", "from", "step", "workers", "queue-nodes", "outage", "only", "server",
            "database",
        ];

    private static async Task<int> Main(string[] args)
    {
        if (Parse(args) is not { } options)
        {
            return await RefuseAsync();
        }

        var program = options.GetValueOrDefault("server") ?? ServerProcess.DefaultProgram;
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            stop.Cancel();
        };
        switch (args.FirstOrDefault())
        {
            case "kills":
                return await KillAsync(program, options, stop.Token);
            case "strace":
                return await SweepAsync(program, options, stop.Token);
            case "races":
                return await RaceAsync(program, options, stop.Token);
            case "faults":
                return await FaultAsync(program, options, stop.Token);
            case "serve":
                return await ServeAsync(program, options, stop.Token);
            default:
                return await RefuseAsync();
        }
    }

    private static async Task<int> RefuseAsync()
    {
        await Console.Error.WriteLineAsync(
            "kills | strace | races | faults | serve, then --NAME VALUE pairs; see Program.cs for their names.");
        return 2;
    }

    private static async Task<int> KillAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        var seed = Number(options, "seed", 1);
        var mode = Enum.Parse<KillMode>(options.GetValueOrDefault("mode", "all"), ignoreCase: true);
        Console.WriteLine($"seed {seed}, mode {mode}");
        using var folder = new DataFolder { IsKept = true, ConnectionString = options.GetValueOrDefault("database", "") };
        var clock = Stopwatch.StartNew();
        var (counts, findings) = await new KillRounds(program, seed, mode, Number(options, "in-flight", 100), Console.Out)
        {
            Pause = TimeSpan.FromSeconds(Number(options, "pause", 60)),
        }
            .RunAsync(Number(options, "rounds", 100), folder, cancellationToken);
        folder.IsKept = !findings.IsClean;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {clock.Elapsed:hh\:mm\:ss}; kills: group {counts.Group} ({counts.WhileStarting} while starting), parent {counts.Parent},
            children {counts.Children}; stopped and continued {counts.Pauses}; fewest images in flight {counts.FewestInFlight}
            longest from start to first progress {counts.LongestToProgress.TotalSeconds:0.00} s
            SIGTERM: exit {counts.ExitCode} after {counts.Stop.TotalSeconds:0.00} s
            """));
        return Report(findings, folder.Path);
    }

    private static async Task<int> SweepAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        using var sweep = new StraceSweep(program, Console.Out);
        var kinds = options.TryGetValue("kinds", out var names) ? names.Split(',') : [.. StraceSweep.Kinds];
        var kills = 0;
        var unclean = 0;
        foreach (var kind in kinds)
        {
            for (var number = Number(options, "from", 1); ; number += Number(options, "step", 1))
            {
                var (killed, findings) = await sweep.PointAsync(kind, number, cancellationToken);
                unclean += findings.IsClean ? 0 : 1;
                if (!killed)
                {
                    break;
                }

                kills++;
            }
        }

        Console.WriteLine($"kills {kills}, unclean {unclean}");
        return unclean == 0 ? 0 : 1;
    }

    private static async Task<int> RaceAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        var seed = Number(options, "seed", 1);
        Console.WriteLine($"seed {seed}");
        using var folder = new DataFolder { IsKept = true, ConnectionString = options.GetValueOrDefault("database", "") };
        var races = new RaceRounds(program, seed, Console.Out);
        var findings = await races.RunAsync(Number(options, "rounds", 200), folder, cancellationToken);
        folder.IsKept = !findings.IsClean;
        Console.WriteLine(string.Join(", ", races.Answers.Select(answer => $"{answer.Key}: {answer.Value}")));
        return Report(findings, folder.Path);
    }

    private static async Task<int> FaultAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        var seed = Number(options, "seed", 1);
        Console.WriteLine($"seed {seed}");
        var clock = Stopwatch.StartNew();
        await using var cluster = await Cluster.StartAsync(
            program, Number(options, "workers", 3), Number(options, "queue-nodes", 1), ClusterRounds.Settings, cancellationToken);
        cluster.IsKept = true;
        var rounds = new ClusterRounds(
            cluster, seed, Number(options, "in-flight", 100), TimeSpan.FromSeconds(Number(options, "outage", 60)), Console.Out)
        {
            Only = options.TryGetValue("only", out var names) ? names.Split(',') : [],
        };
        var (counts, findings) = await rounds.RunAsync(Number(options, "rounds", 50), cancellationToken);
        cluster.IsKept = !findings.IsClean;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {string.Join('\n', counts.Lines)}
            {clock.Elapsed:hh\:mm\:ss}; faults {counts.Times}, fewest images in flight {counts.FewestInFlight}
            longest until the next outcome {counts.Longest.TotalSeconds:0.0} s, attempts lost {findings.AttemptsLost}
            """));
        return Report(findings, cluster.LogFolder);
    }

    private static async Task<int> ServeAsync(string program, Dictionary<string, string> options, CancellationToken cancellationToken)
    {
        await using var cluster = await Cluster.StartAsync(
            program,
            Number(options, "workers", 3),
            Number(options, "queue-nodes", 1),
            [("Logging:LogLevel:Default", "Warning")],
            cancellationToken);
        Console.WriteLine($"{cluster.Url} {string.Join(',', cluster.Members.Select(member => member.Process.Id))}");
        await Console.In.ReadToEndAsync(cancellationToken);
        return 0;
    }

    private static int Report(Findings findings, string folder)
    {
        foreach (var sentence in findings.Sentences.Take(100))
        {
            Console.WriteLine(sentence);
        }

        Console.WriteLine(
            $"requests {findings.Requests} ({findings.Unanswered} never answered and whole), images {findings.Images} ({findings.Reused} "
                + $"taken over from earlier requests), given up after two killed children {findings.CodecCrashed}");
        Console.WriteLine(
            $"lost {findings.Lost.Count}, doubled {findings.Doubled.Count}, orphans {findings.Orphans.Count}, "
                + $"wrong {findings.Wrong.Count}");
        if (!findings.IsClean)
        {
            Console.WriteLine($"Everything is kept in {folder}");
        }

        return findings.IsClean ? 0 : 1;
    }

    private static int Number(Dictionary<string, string> options, string name, int otherwise) =>
        options.TryGetValue(name, out var value) ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Null where one has no value, or no name that is known.</summary>
    private static Dictionary<string, string>? Parse(string[] args)
    {
        var pairs = args.Skip(1).Chunk(2).ToArray();
        return pairs.All(pair => pair.Length == 2 && pair[0].StartsWith("--", StringComparison.Ordinal) && Names.Contains(pair[0][2..]))
            ? pairs.ToDictionary(pair => pair[0][2..], pair => pair[1], StringComparer.Ordinal)
            : null;
    }
}
