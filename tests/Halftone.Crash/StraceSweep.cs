using System.Net;

namespace Halftone.Crash;

/// <summary>
/// Kills the server at the N-th call of one kind, for every N, over the whole life of two small requests: one is uploaded, ends, is retried
/// and
/// ends again; the other is uploaded, ends and is deleted. Then the server is started without strace, the shop goes on where it was left,
/// and
/// everything is examined. strace counts by thread, so the server gets one pool thread, which makes these calls; a start makes its own on
/// the main
/// thread, so it is swept by itself (kinds that begin with <c>start:</c>), and the others begin with a database that is there.
/// </summary>
internal sealed class StraceSweep(string program, TextWriter output) : IDisposable
{
    private const string AtStart = "start:";

    /// <summary>So long one life of the two requests may take.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static readonly (string, string)[] Settings =
    [
        ("Queue:SweepInterval", "00:00:01"), ("Fetch:RetrySchedule:0", "00:00:00.100"), ("Compress:Children", "1"),
        ("Logging:LogLevel:Default", "Warning"),
    ];

    private DataFolder? prepared;

    /// <summary>The calls by which anything reaches the disk, each swept by itself.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
        [
            "rename", "fsync", "fdatasync", "pwrite64", "unlink", "mkdir", "rmdir", "syncfs", AtStart + "fdatasync", AtStart + "pwrite64",
            AtStart + "unlink", AtStart + "mkdir",
        ];

    /// <summary>One point: the server dies at the <paramref name="number"/>-th call of the kind.</summary>
    /// <returns>Whether there were so many calls; and what was found.</returns>
    public async Task<(bool Killed, Findings Findings)> PointAsync(string kind, int number, CancellationToken cancellationToken)
    {
        using var folder = new DataFolder { IsKept = true };
        if (!kind.StartsWith(AtStart, StringComparison.Ordinal))
        {
            await PrepareAsync(folder, cancellationToken);
        }

        await using var surroundings = await Surroundings.StartAsync(number, cancellationToken);
        surroundings.LongestPause = TimeSpan.FromMilliseconds(5);
        using var shop = new Shop(folder.Url, surroundings);
        var kept = SentRequest.Of("kept", surroundings, "good", "later", "flaky", "good");
        var deleted = SentRequest.Of("deleted", surroundings, "good", "missing", "good");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);

        var killed = await TracedLifeAsync(
            kind.Replace(AtStart, "", StringComparison.Ordinal), number, folder, shop, surroundings, kept, deleted, deadline.Token);
        await using (var server = ServerProcess.Start(program, folder.Url, folder.Path, Settings))
        {
            await ExpectListeningAsync(server, folder);
            await LiveAsync(shop, surroundings, kept, deleted, deadline.Token);
            await shop.SettleAsync(deadline.Token);
            await folder.WaitForRemovalAsync(shop, deadline.Token);
            server.Terminate();
            await server.WaitForEndAsync(deadline.Token);
        }

        var findings = await new Examination(folder, shop, surroundings).RunAsync(cancellationToken);
        folder.IsKept = !findings.IsClean;
        await output.WriteLineAsync(
            $"{kind} {number}: {(killed ? "killed" : "never reached")}, "
                + $"{(findings.IsClean ? "clean" : $"{string.Join("; ", findings.Sentences)} ({folder.Path})")}");
        return (killed, findings);
    }

    public void Dispose() => prepared?.Dispose();

    /// <summary>A copy of what a first start leaves.</summary>
    private async Task PrepareAsync(DataFolder folder, CancellationToken cancellationToken)
    {
        if (prepared is null)
        {
            prepared = new();
            await using var server = ServerProcess.Start(program, prepared.Url, prepared.Path, Settings);
            await ExpectListeningAsync(server, prepared);
            server.Terminate();
            await server.WaitForEndAsync(cancellationToken);
        }

        Directory.CreateDirectory(folder.Path);
        foreach (var file in Directory.EnumerateFiles(prepared.Path))
        {
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        }
    }

    private async Task<bool> TracedLifeAsync(
        string kind, int number, DataFolder folder, Shop shop, Surroundings surroundings, SentRequest kept, SentRequest deleted,
        CancellationToken cancellationToken)
    {
        // Without --seccomp-bpf: with it strace 6.1 forgets how many calls it has seen.
        var strace = new[]
        {
            "strace", "-f", "-qqq", "-o", "/dev/null", "-e", $"trace={kind}", "-e", $"inject={kind}:signal=KILL:when={number}",
        };
        await using var server = ServerProcess.Start(
            program,
            folder.Url,
            folder.Path,
            [.. Settings, ("DOTNET_ThreadPool_ForceMinWorkerThreads", "1"), ("DOTNET_ThreadPool_ForceMaxWorkerThreads", "1")],
            strace);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = server.WaitForEndAsync(cancellationToken).ContinueWith(_ => ended.CancelAsync(), TaskScheduler.Default);
        if (!await server.Listening)
        {
            return true;
        }

        try
        {
            await LiveAsync(shop, surroundings, kept, deleted, ended.Token);
            await shop.SettleAsync(ended.Token);
            return server.HasExited;
        }
        catch (Exception exception) when ((exception is OperationCanceledException or InvalidOperationException)
            && !cancellationToken.IsCancellationRequested)
        {
            // The server is dead: the upload was not answered, or an end never came.
            return true;
        }
    }

    /// <summary>Goes on from wherever the requests are.</summary>
    private static async Task LiveAsync(
        Shop shop, Surroundings surroundings, SentRequest kept, SentRequest deleted, CancellationToken cancellationToken)
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
            if (await shop.StatusAsync(request, cancellationToken) is { } status
                && request.MayBeGone
                && status.TryGetProperty("code", out _))
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
