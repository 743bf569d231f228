using System.Threading.Channels;

namespace Halftone.Io;

/// <summary>Ends a loop's pause early; if set while nobody waits, ends the next pause at once.</summary>
internal class WakeSignal
{
    private readonly Channel<bool> signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => signal.Writer.TryWrite(true);

    /// <summary>Waits until <see cref="Set"/> is called, or for <paramref name="longest"/>.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var set = signal.Reader.ReadAsync(either.Token).AsTask();
        var over = Task.Delay(longest, time, either.Token);
        await Task.WhenAny(set, over);
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}
