using System.Diagnostics;
using System.Runtime.InteropServices;
using Halftone.Codec;
using Halftone.Compress;
using Halftone.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Halftone.Tests.Compress;

/// <summary>A pool of real children, and the means to treat them badly.</summary>
internal sealed class PoolHarness : IAsyncDisposable
{
    private PoolHarness(CodecPool pool) => Pool = pool;

    public CodecPool Pool { get; }

    public static async Task<PoolHarness> StartAsync(Action<CompressOptions>? change = null, TimeProvider? time = null)
    {
        var options = new CompressOptions { Children = 1 };
        change?.Invoke(options);
        var pool = new CodecPool(Options.Create(options), Options.Create(new ServerOptions()), time ?? TimeProvider.System, NullLogger<CodecPool>.Instance);
        await pool.StartAsync(TestContext.Current.CancellationToken);
        return new PoolHarness(pool);
    }

    public Task<CodecResult> CompressAsync(byte[] source, ImageFormat? format = null) =>
        Pool.CompressAsync(source, new CodecRequest { Format = format }, TestContext.Current.CancellationToken);

    /// <summary>The process id of the one child that took the place of <paramref name="after"/>.</summary>
    public async Task<int> NextChildAsync(int after)
    {
        await Eventually.TrueAsync(() => Pool.Children is [var child] && child != after);
        return Pool.Children[0];
    }

    /// <summary>Nothing waits: a child has taken the last image.</summary>
    public Task QueueEmptyAsync() => Eventually.TrueAsync(() => Pool.Waiting == 0);

    public static void Signal(int processId, PosixSignal signal) => Signal(processId, signal switch
    {
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGTERM => 15,
        PosixSignal.SIGHUP => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(signal)),
    });

    public static void Kill(int processId) => Signal(processId, 9);

    /// <summary>The child then neither works nor ends, whatever it gets.</summary>
    public static void Freeze(int processId) => Signal(processId, OperatingSystem.IsMacOS() ? 17 : 19);

    public static bool IsAlive(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    public ValueTask DisposeAsync()
    {
        Pool.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void Signal(int processId, int number) => Assert.Equal(0, kill(processId, number));

#pragma warning disable SYSLIB1054, CA5392
    [DllImport("libc")]
    private static extern int kill(int processId, int signal);
#pragma warning restore SYSLIB1054, CA5392
}
