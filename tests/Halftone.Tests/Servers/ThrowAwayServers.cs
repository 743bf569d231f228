using System.Collections.Concurrent;

namespace Halftone.Tests.Servers;

/// <summary>
/// The servers that the tests of a run have in common: each starts when the first test wants it, all of them side by side, and ends with the run.
/// </summary>
public sealed class ThrowAwayServers : IAsyncDisposable
{
    private static readonly ConcurrentStack<IAsyncDisposable> Started = [];

    /// <summary>A server that a test may stop: nobody else uses it. The test is skipped where it is not installed; in continuous integration that is a failure.</summary>
    public static async Task<T> OwnAsync<T>(Func<CancellationToken, Task<T>> start, CancellationToken cancellationToken)
    {
        try
        {
            return await start(cancellationToken);
        }
        catch (NotInstalledException exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip(exception.Message);
            throw;
        }
    }

    internal static void EndWithRun(IAsyncDisposable server) => Started.Push(server);

    public async ValueTask DisposeAsync()
    {
        while (Started.TryPop(out var server))
        {
            await server.DisposeAsync();
        }
    }
}

/// <summary>Something that is made once, for the first test that wants it, and ended with the run.</summary>
internal sealed class ThrowAway<T>(Func<CancellationToken, Task<T>> make)
    where T : IAsyncDisposable
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

        return ThrowAwayServers.OwnAsync(made.WaitAsync, cancellationToken);
    }

    private async Task<T> MakeAsync()
    {
        var value = await make(CancellationToken.None);
        ThrowAwayServers.EndWithRun(value);
        return value;
    }
}
