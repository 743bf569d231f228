using Halftone.Crash;

namespace Halftone.Tests.Hostile;

/// <summary>The attacks of <c>tests/Halftone.Hostile</c> in short, on the real server process.</summary>
public sealed class AttackTests(ITestOutputHelper output)
{
    /// <summary>What the server and its codec children may take together while origins attack them.</summary>
    private const int MostTreeMiB = 400;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sixty_origins_with_endless_bodies_cost_less_memory_than_is_allowed_and_hold_up_no_good_row()
    {
        // A quarter of the default: what is refused at 16 MiB costs less time, and all of it together is still more than is allowed.
        var limit = ("Fetch:MaxBytes", "16777216");
        var report = await new OriginsScenario(
            ServerProcess.DefaultProgram, Misbehaviour.Endless, origins: 60, goodRows: 40, limit).RunAsync(Cancelled);

        output.WriteLine(
            $"tree {report.TreePeakMiB} MiB, server {report.ServerPeakMiB} MiB; good rows {report.GoodBeside} beside, {report.GoodAlone} "
                + $"alone");
        Assert.Empty(report.Wrong);
        Assert.InRange(report.TreePeakMiB, 1, MostTreeMiB);
        Assert.Equal(1, report.MostRequestsForOneUrl.Values.Max());
        Assert.True(
            report.GoodBeside < report.Hostile || report.GoodBeside < TimeSpan.FromSeconds(5),
            $"{report.GoodBeside} beside {report.Hostile}");
    }

    [Fact]
    public async Task Good_rows_do_not_wait_for_sixty_hosts_that_never_answer()
    {
        // Each hostile row takes half a minute as things are set: the good ones must be through long before.
        (string, string)[] settings =
        [
            ("Fetch:RetrySchedule:0", "00:00:00.100"), ("Fetch:AttemptTimeout", "00:00:08"), ("Fetch:ConnectTimeout", "00:00:08"),
        ];
        var report = await new OriginsScenario(
            ServerProcess.DefaultProgram, Misbehaviour.Slow[..1], origins: 60, goodRows: 40, settings).RunAsync(Cancelled);

        output.WriteLine(
            $"good rows {report.GoodBeside} beside, {report.GoodOnHostileHosts} on the same hosts, {report.GoodAlone} alone; hostile "
                + $"ones {report.Hostile}");
        Assert.Empty(report.Wrong);
        Assert.InRange(report.Hostile, TimeSpan.FromSeconds(16), TimeSpan.FromMinutes(2));
        Assert.True(
            report.GoodBeside < report.Hostile / 2 && report.GoodOnHostileHosts < report.Hostile / 2,
            $"{report.GoodBeside} and {report.GoodOnHostileHosts} of {report.Hostile}");
    }

    [Fact]
    public async Task Every_wrong_answer_ends_with_its_code_after_four_requests_at_most()
    {
        (string, string)[] settings =
        [
            ("Fetch:RetrySchedule:0", "00:00:00.050"), ("Fetch:RetrySchedule:1", "00:00:00.050"), ("Fetch:RetrySchedule:2", "00:00:00.050"),
            ("Queue:SweepInterval", "00:00:00.100"),
        ];
        var report = await new OriginsScenario(
            ServerProcess.DefaultProgram,
            Misbehaviour.Quick,
            origins: Misbehaviour.Quick.Length,
            goodRows: 5,
            settings).RunAsync(Cancelled);

        Assert.Empty(report.Wrong);
        Assert.InRange(report.MostRequestsForOneUrl.Values.Max(), 4, 6);
        Assert.DoesNotContain("secret", report.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Odd_requests_slow_clients_and_a_crowd_get_answers_and_never_a_failure()
    {
        await using var server = await ServerUnderAttack.StartAsync(
            ServerProcess.DefaultProgram, ("Intake:MaxBodyBytes", "20000000"), ("Compress:Children", "1"));

        var cases = await RequestCases.RunAsync(server.Port, RequestCases.All, Cancelled);
        output.WriteLine(string.Join(", ", cases.Statuses.Select(status => $"{status.Key}: {status.Value}")));
        Assert.Empty(cases.Wrong);

        var load = await new LoadScenario(server) { Uploads = 100, JsonUploads = 24, SlowestAllowed = TimeSpan.FromSeconds(20) }.RunAsync(
            Cancelled);
        output.WriteLine(
            $"slowest beside slow clients {load.SlowestBeside}; "
                + $"{string.Join(", ", load.UploadStatuses.Select(status => $"{status.Key}: {status.Value}"))}; {server.TreePeakMiB} MiB");
        Assert.Empty(load.Wrong);
        Assert.True(server.IsAlive);
    }

    [Fact]
    public async Task Hostile_images_end_in_time_beside_good_neighbours_and_none_completes()
    {
        // Ten seconds on a machine of one's own; other tests run beside this one.
        var report = await new ImagesScenario(ServerProcess.DefaultProgram, ImageFiles.All(), TextWriter.Null, ("Compress:Children", "1"))
        {
            Longest = TimeSpan.FromSeconds(30),
        }.RunAsync(Cancelled);

        output.WriteLine($"{report.Files} files, {report.Completed} completed, slowest {report.Slowest}, largest {report.Largest}");
        Assert.Empty(report.Wrong);
        Assert.InRange(report.Files, 90, int.MaxValue);
        Assert.InRange(report.Completed, 9, 40);
    }

    [Fact]
    public async Task Ten_thousand_rows_of_a_dead_host_end_within_a_minute()
    {
        var dead = $"http://127.0.0.1:{HostileOrigin.ClosedPort()}";
        await using var server = await ServerUnderAttack.StartAsync(
            ServerProcess.DefaultProgram, ("Fetch:OutageGrace", "00:00:00"), ("Compress:Children", "1"));

        var request = await server.UploadAsync(Enumerable.Range(0, 10_000).Select(row => $"{dead}/{row}.jpg"), Cancelled);
        var status = await server.WaitForEndAsync(request, Cancelled).WaitAsync(TimeSpan.FromSeconds(60), Cancelled);

        Assert.Equal(10_000, status.GetProperty("progress").GetProperty("failed").GetInt32());
        Assert.All(
            status.GetProperty("errors").EnumerateArray(),
            error => Assert.Contains(error.GetProperty("code").GetString(), new[] { "host_unavailable", "connect_refused" }));
    }
}
