using System.Net;

namespace Halftone.Crash;

/// <summary>
/// Cancel, retry and delete from several hands at random moments of a running request, whose images wait at a gate that opens and closes:
/// messages of
/// old runs end while new ones are under way. One server, no kills; it is examined at the end.
/// </summary>
internal sealed class RaceRounds(string program, int seed, TextWriter output)
{
    private static readonly TimeSpan RoundDeadline = TimeSpan.FromMinutes(2);

    private static readonly (string, string)[] Settings =
    [
        ("Queue:SweepInterval", "00:00:00.100"), ("Fetch:MinPerHost", "16"), ("Fetch:RetrySchedule:0", "00:00:00.050"),
        ("Logging:LogLevel:Default", "Warning"),
    ];

    private readonly Random random = new(seed);

    /// <summary>How often each action was answered with what.</summary>
    public SortedDictionary<string, int> Answers { get; } = new(StringComparer.Ordinal);

    public async Task<Findings> RunAsync(int rounds, DataFolder folder, CancellationToken cancellationToken)
    {
        await using var surroundings = await Surroundings.StartAsync(seed, cancellationToken);
        using var shop = new Shop(folder.Url, surroundings);
        surroundings.LongestPause = TimeSpan.FromMilliseconds(20);
        await using (var server = ServerProcess.Start(program, folder.Url, folder.Path, [.. Settings, folder.DatabaseSetting]))
        {
            if (!await server.Listening)
            {
                throw new InvalidOperationException($"The server ended at its start; see {folder.Log}.");
            }

            for (var round = 1; round <= rounds; round++)
            {
                await RoundAsync(round, shop, surroundings, cancellationToken);
            }

            surroundings.OpenGate();
            await shop.SettleAsync(cancellationToken);
            // Not by a second start, which would sweep: the server itself must leave nothing behind, once its last messages have ended.
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(RoundDeadline);
            while (surroundings.Running > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, deadline.Token);
            }

            await folder.WaitForRemovalAsync(shop, deadline.Token);
            server.Terminate();
            await server.WaitForEndAsync(deadline.Token);
        }

        return await new Examination(folder, shop, surroundings).RunAsync(cancellationToken);
    }

    private async Task RoundAsync(int round, Shop shop, Surroundings surroundings, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(RoundDeadline);
        surroundings.CloseGate();
        var request = SentRequest.Make($"race{round}", 8, isRepeatable: true, surroundings, random);
        await shop.UploadAsync(request, deadline.Token);
        request.MayBeCancelled = true;
        var hands = Enumerable.Range(0, 3)
            .Select(_ => ActAsync(
                shop, request, [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => (random.Next(60), random.Next(10)))], deadline.Token))
            .ToList();
        hands.Add(OpenLaterAsync(surroundings, random.Next(120), deadline.Token));
        await Task.WhenAll(hands);
        if (random.Next(2) == 0)
        {
            await UntilEndedAsync(shop, request, deadline.Token);
        }

        if (round % 20 == 0)
        {
            await output.WriteLineAsync($"round {round}: {string.Join(", ", Answers.Select(answer => $"{answer.Key} {answer.Value}"))}");
        }
    }

    private async Task ActAsync(Shop shop, SentRequest request, (int Pause, int Action)[] plan, CancellationToken cancellationToken)
    {
        foreach (var (pause, action) in plan)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(pause), TimeProvider.System, cancellationToken);
            var (name, status) = action switch
            {
                < 4 => ("cancel", await shop.ActAsync(request, "cancel", cancellationToken)),
                < 9 => ("retry", await shop.ActAsync(request, "retry", cancellationToken)),
                _ => ("delete", await shop.DeleteAsync(request, cancellationToken)),
            };
            if (status is not (HttpStatusCode.OK or HttpStatusCode.NoContent or HttpStatusCode.Conflict or HttpStatusCode.NotFound))
            {
                throw new InvalidOperationException($"{name} was answered with {status}.");
            }

            lock (Answers)
            {
                var key = $"{name} {(int)status}";
                Answers[key] = Answers.GetValueOrDefault(key) + 1;
            }
        }
    }

    private static async Task OpenLaterAsync(Surroundings surroundings, int milliseconds, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, cancellationToken);
        surroundings.OpenGate();
    }

    private static async Task UntilEndedAsync(Shop shop, SentRequest request, CancellationToken cancellationToken)
    {
        while (!request.HasEnded && !request.MayBeGone)
        {
            await shop.StatusAsync(request, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }
}
