using System.Net;
using System.Net.Sockets;
using System.Text;
using Halftone.Crash;
using Halftone.Tests.Servers;

namespace Halftone.Tests.EndToEnd;

/// <summary>The crash harness in short, on real processes; <c>tests/Halftone.Crash</c> runs it at length.</summary>
public sealed class CrashTests
{
    private const int InFlight = 100;

    private static readonly (string, string)[] Settings = [("Queue:SweepInterval", "00:00:00.200"), ("Compress:Children", "1"), ("Logging:LogLevel:Default", "Warning")];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Five_kills_of_everything_or_of_the_server_alone_lose_and_double_nothing()
    {
        using var folder = new DataFolder();
        var (counts, findings) = await new KillRounds(ServerProcess.DefaultProgram, seed: 7, KillMode.All, InFlight, TextWriter.Null).RunAsync(5, folder, Cancelled);
        AssertClean(findings);
        Assert.Equal(0, counts.ExitCode);
        Assert.Equal(5, counts.Group + counts.Parent + counts.Children);
        Assert.True(counts.FewestInFlight >= InFlight);
    }

    [Fact]
    public async Task Three_kills_on_PostgreSQL_lose_and_double_nothing()
    {
        using var folder = new DataFolder { ConnectionString = await PostgresServer.NewDatabaseAsync(Cancelled) };
        var (counts, findings) = await new KillRounds(ServerProcess.DefaultProgram, seed: 8, KillMode.Group, InFlight, TextWriter.Null).RunAsync(3, folder, Cancelled);
        AssertClean(findings);
        Assert.Equal((0, 3), (counts.ExitCode, counts.Group));
    }

    [Fact]
    public async Task Faults_of_a_cluster_lose_and_double_nothing_and_cost_no_attempt()
    {
        await using var cluster = await ThrowAwayServers.OwnAsync(token => Cluster.StartAsync(ServerProcess.DefaultProgram, workers: 2, queueNodes: 1, ClusterRounds.Settings, token), Cancelled);
        string[] faults = ["kill worker", "database resets", "queue resets", "store resets"];
        var (counts, findings) = await new ClusterRounds(cluster, seed: 9, InFlight, outage: TimeSpan.Zero, TextWriter.Null) { Only = faults }.RunAsync(faults.Length, Cancelled);
        AssertClean(findings);
        Assert.Equal((faults.Length, 0), (counts.Times, findings.AttemptsLost));
        Assert.True(findings.Reused > 0);
        Assert.True(counts.FewestInFlight >= InFlight);
    }

    [Theory]
    [InlineData("rename", 1)]
    [InlineData("rename", 4)]
    [InlineData("rename", 8)]
    [InlineData("fsync", 2)]
    [InlineData("fsync", 5)]
    [InlineData("fdatasync", 3)]
    [InlineData("fdatasync", 9)]
    [InlineData("pwrite64", 20)]
    [InlineData("pwrite64", 60)]
    [InlineData("pwrite64", 90)]
    [InlineData("unlink", 1)]
    [InlineData("start:pwrite64", 12)]
    public async Task A_kill_at_the_nth_call_that_reaches_the_disk_loses_and_doubles_nothing(string call, int number)
    {
        Assert.SkipUnless(IsInstalled("strace"), "strace is not installed; ./test does it.");
        using var sweep = new StraceSweep(ServerProcess.DefaultProgram, TextWriter.Null);
        var (killed, findings) = await sweep.PointAsync(call, number, Cancelled);
        Assert.SkipUnless(killed || number == 1, "So many calls of this kind were not made.");
        Assert.True(killed, "strace may not trace here (ptrace is forbidden), or the call was never made.");
        AssertClean(findings);
    }

    [Fact]
    public async Task Twenty_races_of_cancel_retry_and_delete_leave_every_request_in_a_right_state()
    {
        using var folder = new DataFolder();
        var races = new RaceRounds(ServerProcess.DefaultProgram, seed: 7, TextWriter.Null);
        var findings = await races.RunAsync(20, folder, Cancelled);
        AssertClean(findings);
        Assert.Contains("cancel 200", races.Answers.Keys);
        Assert.Contains("retry 200", races.Answers.Keys);
    }

    [Fact]
    public async Task Ten_races_on_PostgreSQL_leave_every_request_in_a_right_state()
    {
        using var folder = new DataFolder { ConnectionString = await PostgresServer.NewDatabaseAsync(Cancelled) };
        var findings = await new RaceRounds(ServerProcess.DefaultProgram, seed: 8, TextWriter.Null).RunAsync(10, folder, Cancelled);
        AssertClean(findings);
    }

    [Fact]
    public async Task SIGTERM_while_hosts_let_us_wait_ends_in_order_leaves_no_child_and_hands_the_images_back()
    {
        using var folder = new DataFolder();
        await using var surroundings = await Surroundings.StartAsync(seed: 1, Cancelled);
        using var shop = new Shop(folder.Url, surroundings);
        surroundings.CloseGate();
        // Nothing but a cancellation ends these fetches while the test runs.
        (string, string)[] patient = [.. Settings, ("Fetch:AttemptTimeout", "00:10:00")];
        await using (var server = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, patient))
        {
            Assert.True(await server.Listening);
            await shop.UploadAsync(SentRequest.Of("waiting", surroundings, "good", "good", "good"), Cancelled);
            await Eventually.TrueAsync(() => surroundings.Running == 3);
            server.Terminate();
            Assert.Equal(0, await server.WaitForEndAsync(Cancelled));
            Assert.Empty(server.Alive());
        }

        surroundings.OpenGate();
        Assert.Empty((await FinishAndExamineAsync(folder, shop, surroundings)).Sentences);
    }

    [Fact]
    public async Task A_server_that_was_stopped_for_a_while_and_goes_on_loses_and_doubles_nothing()
    {
        using var folder = new DataFolder();
        await using var surroundings = await Surroundings.StartAsync(seed: 1, Cancelled);
        using var shop = new Shop(folder.Url, surroundings);
        await using (var server = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, Settings))
        {
            Assert.True(await server.Listening);
            await shop.UploadAsync(SentRequest.Make("long", 60, isRepeatable: true, surroundings, new Random(1)), Cancelled);
            await Eventually.TrueAsync(() => surroundings.Running > 0);
            server.Stop();
            // Time itself is the subject: whatever runs on a clock in the server finds that it has passed.
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, Cancelled);
            server.Continue();
            await shop.SettleAsync(Cancelled);
            server.Terminate();
            Assert.Equal(0, await server.WaitForEndAsync(Cancelled));
        }

        Assert.Empty((await new Examination(folder, shop, surroundings).RunAsync(Cancelled)).Sentences);
    }

    [Fact]
    public async Task A_second_serve_on_the_same_folder_ends_with_a_sentence_and_exit_code_1()
    {
        using var folder = new DataFolder();
        await using var first = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, Settings);
        Assert.True(await first.Listening);
        await using (var second = ServerProcess.Start(ServerProcess.DefaultProgram, "http://127.0.0.1:0", folder.Path, Settings))
        {
            Assert.Equal(1, await second.WaitForEndAsync(Cancelled));
        }

        Assert.Contains($"Another Halftone process is using the data folder '{folder.Path}'", await File.ReadAllTextAsync(folder.Log, Cancelled));
        Assert.False(first.HasExited);
    }

    [Fact]
    public async Task Half_an_upload_is_gone_after_the_next_start()
    {
        using var folder = new DataFolder();
        await using var surroundings = await Surroundings.StartAsync(seed: 1, Cancelled);
        using var shop = new Shop(folder.Url, surroundings);
        await using (var server = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, Settings))
        {
            Assert.True(await server.Listening);
            var url = new Uri(folder.Url);
            using var socket = new TcpClient();
            await socket.ConnectAsync(url.Host, url.Port, Cancelled);
            await socket.GetStream().WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST /upload HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nProduct Name,Input Image Urls\n"),
                Cancelled);
            await Eventually.TrueAsync(() => Directory.Exists(Path.Combine(folder.Path, "files")) && Directory.EnumerateFiles(Path.Combine(folder.Path, "files"), "*.part", SearchOption.AllDirectories).Any());
            server.KillGroup();
            await server.WaitForEndAsync(Cancelled);
        }

        var findings = await FinishAndExamineAsync(folder, shop, surroundings);
        AssertClean(findings);
        Assert.Equal(0, findings.Requests);
    }

    [Fact]
    public async Task A_stored_file_of_the_wrong_length_is_done_again_after_a_crash()
    {
        using var folder = new DataFolder();
        await using var surroundings = await Surroundings.StartAsync(seed: 1, Cancelled);
        using var shop = new Shop(folder.Url, surroundings);
        var request = SentRequest.Of("torn", surroundings, "good", "good", "gated");
        await using (var server = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, Settings))
        {
            Assert.True(await server.Listening);
            surroundings.HoldGated();
            await shop.UploadAsync(request, Cancelled);
            await Eventually.TrueAsync(async () => await shop.StatusAsync(request, Cancelled) is not null && request.Done == 2);
            server.KillGroup();
            await server.WaitForEndAsync(Cancelled);
        }

        var stored = Directory.GetFiles(Path.Combine(folder.Path, "images"), "*", SearchOption.AllDirectories);
        Assert.Equal(4, stored.Length);
        // As a power failure may leave them: of one image the variant is short, of the other the output was never written.
        await using (var file = File.OpenWrite(stored.Single(name => name.Contains("/torn-1-1-", StringComparison.Ordinal) && name.Contains("-thumb.", StringComparison.Ordinal))))
        {
            file.SetLength(100);
        }

        File.Delete(stored.Single(name => name.Contains("/torn-2-1-", StringComparison.Ordinal) && !name.Contains("-thumb.", StringComparison.Ordinal)));
        surroundings.ReleaseGated();
        var findings = await FinishAndExamineAsync(folder, shop, surroundings);
        AssertClean(findings);
        Assert.Equal(3, findings.Images);
    }

    [Fact]
    public async Task A_full_disk_answers_507_pauses_the_work_and_tears_nothing()
    {
        using var folder = new DataFolder();
        Directory.CreateDirectory(folder.Path);
        Assert.SkipUnless(await SmallDisk.MountAsync(folder.Path, "16m", Cancelled), "A file system of 16 MB cannot be mounted here: that takes root.");
        try
        {
            await using var surroundings = await Surroundings.StartAsync(seed: 1, Cancelled);
            using var shop = new Shop(folder.Url, surroundings);
            var request = SentRequest.Of("paused", surroundings, "good", "good", "good", "good");
            await using (var server = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, Settings))
            {
                Assert.True(await server.Listening);
                surroundings.CloseGate();
                Assert.Equal(HttpStatusCode.OK, await shop.UploadAsync(request, Cancelled));
                await Eventually.TrueAsync(() => surroundings.Running == 4);
                var filler = Path.Combine(folder.Path, "filler");
                SmallDisk.Fill(filler);

                var refused = SentRequest.Of("refused", surroundings, "good");
                Assert.Equal(HttpStatusCode.InsufficientStorage, await shop.UploadAsync(refused, Cancelled));
                shop.Forget(refused);
                surroundings.OpenGate();
                await Eventually.TrueAsync(() => File.Exists(folder.Log) && File.ReadAllText(folder.Log).Contains("work is waiting", StringComparison.Ordinal));
                Assert.NotNull(await shop.StatusAsync(request, Cancelled));
                Assert.False(request.HasEnded);

                File.Delete(filler);
                await shop.SettleAsync(Cancelled);
                server.Terminate();
                Assert.Equal(0, await server.WaitForEndAsync(Cancelled));
            }

            var findings = await new Examination(folder, shop, surroundings).RunAsync(Cancelled);
            AssertClean(findings);
            Assert.Equal((1, 4), (findings.Requests, findings.Images));
        }
        finally
        {
            await SmallDisk.UnmountAsync(folder.Path);
        }
    }

    private static async Task<Findings> FinishAndExamineAsync(DataFolder folder, Shop shop, Surroundings surroundings)
    {
        await using (var server = ServerProcess.Start(ServerProcess.DefaultProgram, folder.Url, folder.Path, Settings))
        {
            Assert.True(await server.Listening);
            await shop.SettleAsync(Cancelled);
            server.Terminate();
            Assert.Equal(0, await server.WaitForEndAsync(Cancelled));
        }

        return await new Examination(folder, shop, surroundings).RunAsync(Cancelled);
    }

    private static void AssertClean(Findings findings) => Assert.True(findings.IsClean, string.Join('\n', findings.Sentences));

    private static bool IsInstalled(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
