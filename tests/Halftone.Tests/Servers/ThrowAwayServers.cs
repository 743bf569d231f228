using System.Collections.Concurrent;

[assembly: AssemblyFixture(typeof(Halftone.Tests.Servers.ThrowAwayServers))]

namespace Halftone.Tests.Servers;

/// <summary>
/// The servers that the tests of a run have in common: each starts when the first test wants it, all of them side by side, and ends with the run.
/// </summary>
public sealed class ThrowAwayServers : IAsyncDisposable
{
    private static readonly ConcurrentStack<Func<Task>> Started = [];

    /// <summary>Skips the test where a server cannot be had, and says why; in continuous integration that is a failure.</summary>
    internal static void Require(bool isInstalled, string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            Assert.True(isInstalled, reason);
        }

        Assert.SkipUnless(isInstalled, reason);
    }

    internal static void EndWithRun(Func<Task> end) => Started.Push(end);

    public async ValueTask DisposeAsync()
    {
        while (Started.TryPop(out var end))
        {
            await end();
        }
    }
}

/// <summary>Something that is made once, for the first test that wants it, and ended with the run.</summary>
internal sealed class ThrowAway<T>(Func<CancellationToken, Task<T>> make, Func<T, Task> end)
{
    private readonly Lock gate = new();
    private Task<T>? made;

    /// <summary>A test that is cancelled stops waiting; what it waited for is made all the same, for the others.</summary>
    public Task<T> GetAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            made ??= Task.Run(MakeAsync, CancellationToken.None);
        }

        return made.WaitAsync(cancellationToken);
    }

    private async Task<T> MakeAsync()
    {
        var value = await make(CancellationToken.None);
        ThrowAwayServers.EndWithRun(() => end(value));
        return value;
    }
}
