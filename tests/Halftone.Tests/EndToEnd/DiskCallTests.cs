using Halftone.Crash;

namespace Halftone.Tests.EndToEnd;

/// <summary>The sweep of the crash harness over the calls that reach the disk, in short.</summary>
public sealed class DiskCallTests(DiskCallTests.SharedSweep shared) : IClassFixture<DiskCallTests.SharedSweep>
{
    [Theory]
    [InlineData("rename", 1)]
    [InlineData("rename", 4)]
    [InlineData("rename", 8)]
    [InlineData("fsync", 2)]
    [InlineData("fsync", 5)]
    [InlineData("fsync", 9)]
    [InlineData("fsync", 14)]
    [InlineData("pwrite64", 20)]
    [InlineData("pwrite64", 60)]
    [InlineData("pwrite64", 90)]
    [InlineData("unlink", 1)]
    [InlineData("start:pwrite64", 12)]
    public async Task A_kill_at_the_nth_call_that_reaches_the_disk_loses_and_doubles_nothing(string call, int number)
    {
        Assert.SkipUnless(IsInstalled("strace"), "strace is not installed; ./test does it.");
        var (killed, findings) = await shared.Sweep.PointAsync(call, number, TestContext.Current.CancellationToken);
        Assert.SkipUnless(killed || number == 1, "So many calls of this kind were not made.");
        Assert.True(killed, "strace may not trace here (ptrace is forbidden), or the call was never made.");
        Assert.True(findings.IsClean, string.Join('\n', findings.Sentences));
    }

    private static bool IsInstalled(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>One sweep for all points, so that the folder they begin with is made once.</summary>
    public sealed class SharedSweep : IDisposable
    {
        internal StraceSweep Sweep { get; } = new(ServerProcess.DefaultProgram, TextWriter.Null);

        public void Dispose() => Sweep.Dispose();
    }
}
