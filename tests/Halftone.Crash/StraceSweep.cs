using System.Net;

namespace Halftone.Crash;

/// <summary>
/// Kills the server at the N-th call of one kind, for every N, over the whole life of two small requests: one is uploaded, ends, is retried and
/// ends again; the other is uploaded, ends and is deleted. Then the server is started without strace, the shop goes on where it was left, and
/// everything is examined. strace counts by thread, so the server gets one pool thread, on which nearly all of these calls are made.
/// </summary>
internal sealed class StraceSweep(string program, TextWriter output)
{
    /// <summary>So long one life of the two requests may take.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static readonly (string, string)[] Settings =
    [
        ("Queue:SweepInterval", "00:00:00.200"), ("Fetch:RetrySchedule:0", "00:00:00.100"), ("Compress:Children", "1"), ("Logging:LogLevel:Default", "Warning"),
    ];

    /// <summary>The calls by which anything reaches the disk, each swept by itself.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["rename", "fsync", "fdatasync", "pwrite64", "unlink", "mkdir", "rmdir", "syncfs"];

    /// <summary>One point: the server dies at the <paramref name="number"/>-th call of the kind.</summary>
    /// <returns>Whether there were so many calls; and what was found.</returns>
    public async Task<(bool Killed, Findings Findings)> PointAsync(string kind, int number, CancellationToken cancellationToken)
    {
        using var folder = new DataFolder();
        await using var surroundings = await Surroundings.StartAsync(number, cancellationToken);
        surroundings.LongestPause = TimeSpan.FromMilliseconds(5);
        using var shop = new Shop(folder.Url, surroundings);
        var kept = SentRequest.Of("kept", surroundings, "good", "later", "flaky", "good");
        var deleted = SentRequest.Of("deleted", surroundings, "good", "missing", "good");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);

        var killed = await TracedLifeAsync(kind, number, folder, shop, surroundings, kept, deleted, deadline.Token);
        await using (var server = ServerProcess.Start(program, folder.Url, folder.Path, Settings))
        {
            await ExpectListeningAsync(server, folder);
            await LiveAsync(shop, surroundings, kept, deleted, deadline.Token);
            await shop.SettleAsync(deadline.Token);
            server.Terminate();
            await server.WaitForEndAsync(deadline.Token);
        }

        // Once more, for what a start sweeps: the delete may have been under way.
        await using (var server = ServerProcess.Start(program, folder.Url, folder.Path, Settings))
        {
            await ExpectListeningAsync(server, folder);
            server.Terminate();
            await server.WaitForEndAsync(deadline.Token);
        }

        var findings = await new Examination(folder.Path, shop, surroundings).RunAsync(cancellationToken);
        folder.IsKept = !findings.IsClean;
        await output.WriteLineAsync($"{kind} {number}: {(killed ? "killed" : "never reached")}, {(findings.IsClean ? "clean" : $"{string.Join("; ", findings.Sentences)} ({folder.Path})")}");
        return (killed, findings);
    }

    private async Task<bool> TracedLifeAsync(
        string kind, int number, DataFolder folder, Shop shop, Surroundings surroundings, SentRequest kept, SentRequest deleted, CancellationToken cancellationToken)
    {
        var strace = new[] { "strace", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null", "-e", $"trace={kind}", "-e", $"inject={kind}:signal=KILL:when={number}" };
        await using var server = ServerProcess.Start(program, folder.Url, folder.Path, [.. Settings, ("DOTNET_ThreadPool_ForceMaxWorkerThreads", "1")], strace);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = server.WaitForEndAsync(cancellationToken).ContinueWith(_ => ended.CancelAsync(), TaskScheduler.Default);
        try
        {
            if (await server.Listening)
            {
                await LiveAsync(shop, surroundings, kept, deleted, ended.Token);
                await shop.SettleAsync(ended.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
        {
            // The server is dead: the upload was not answered, or an end never came.
        }

        // strace ends with the server; a server that was not killed by then outlived its requests.
        return server.HasExited;
    }

    /// <summary>Goes on from wherever the requests are.</summary>
    private static async Task LiveAsync(Shop shop, Surroundings surroundings, SentRequest kept, SentRequest deleted, CancellationToken cancellationToken)
    {
        surroundings.LaterIsThere = surroundings.LaterIsThere || kept.HasEnded;
        foreach (var request in new[] { kept, deleted }.Where(request => request.RequestId is null))
        {
            await shop.UploadAsync(request, cancellationToken);
        }

        await UntilEndedAsync(shop, kept, cancellationToken);
        surroundings.LaterIsThere = true;
        if (await shop.ActAsync(kept, "retry", cancellationToken) is null)
        {
            return;
        }

        await UntilEndedAsync(shop, kept, cancellationToken);
        if (!deleted.IsGone)
        {
            await UntilEndedAsync(shop, deleted, cancellationToken);
            while (!deleted.IsGone)
            {
                var status = await shop.DeleteAsync(deleted, cancellationToken);
                if (status is not (null or HttpStatusCode.NoContent or HttpStatusCode.NotFound))
                {
                    throw new InvalidOperationException($"The delete was answered with {status}.");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
            }
        }
    }

    private static async Task UntilEndedAsync(Shop shop, SentRequest request, CancellationToken cancellationToken)
    {
        while (!request.HasEnded && !(request.MayBeGone && request.IsGone))
        {
            if (await shop.StatusAsync(request, cancellationToken) is { } status && request.MayBeGone && status.TryGetProperty("code", out _))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    private static async Task ExpectListeningAsync(ServerProcess server, DataFolder folder)
    {
        if (!await server.Listening)
        {
            throw new InvalidOperationException($"The server ended at its start; see {folder.Log}.");
        }
    }
}
