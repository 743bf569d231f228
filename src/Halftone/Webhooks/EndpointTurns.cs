using Halftone.Queue;

namespace Halftone.Webhooks;

/// <summary>
/// Limits concurrent deliveries per host of a webhook. Deliveries to one host wait in a queue of their own without
/// holding a slot, so an endpoint that takes half a minute per answer delays only itself.
/// </summary>
internal sealed class EndpointTurns
{
    /// <summary>Maximum concurrent deliveries to one host.</summary>
    public const int AtOnce = 4;

    /// <summary>Maximum deliveries that wait for one host; this also bounds the memory of all of them.</summary>
    public const int MostWaiting = 256;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> lines = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Waits for a turn.</summary>
    /// <param name="host">Host and port.</param>
    /// <param name="slot">Released while it waits, and held again on return.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The turn, which ends when it is disposed; null if too many already wait.</returns>
    public async ValueTask<IDisposable?> EnterAsync(string host, IWorkSlot slot, CancellationToken cancellationToken)
    {
        if (Join(host) is not { } line)
        {
            return null;
        }

        var turn = new Turn(this, host, line);
        try
        {
            if (!line.Free.Wait(0, CancellationToken.None))
            {
                slot.GiveBack();
                await line.Free.WaitAsync(cancellationToken);
                turn.IsHeld = true;
                await slot.TakeAgainAsync(cancellationToken);
            }

            turn.IsHeld = true;
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private Line? Join(string host)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(host, out var line))
            {
                lines[host] = line = new();
            }

            if (line.Members == AtOnce + MostWaiting)
            {
                return null;
            }

            line.Members++;
            return line;
        }
    }

    private void Leave(string host, Line line)
    {
        lock (gate)
        {
            if (--line.Members == 0)
            {
                lines.Remove(host);
                line.Free.Dispose();
            }
        }
    }

    /// <summary>The deliveries that call a host or wait for it; removed with the last one.</summary>
    private sealed class Line
    {
        public SemaphoreSlim Free { get; } = new(AtOnce);

        public int Members { get; set; }
    }

    private sealed class Turn(EndpointTurns turns, string host, Line line) : IDisposable
    {
        public bool IsHeld { get; set; }

        public void Dispose()
        {
            if (IsHeld)
            {
                line.Free.Release();
            }

            turns.Leave(host, line);
        }
    }
}
