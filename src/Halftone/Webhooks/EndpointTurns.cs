using Halftone.Queue;

namespace Halftone.Webhooks;

/// <summary>
/// Who may call a webhook's host now. Deliveries to one host wait in its own line and outside their places, so an endpoint that takes half a minute
/// for each answer holds up nobody but itself.
/// </summary>
internal sealed class EndpointTurns
{
    /// <summary>Deliveries to one host at a time.</summary>
    public const int AtOnce = 4;

    /// <summary>Deliveries that may wait for one host; with all of them the process remembers no more than that.</summary>
    public const int MostWaiting = 256;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> lines = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Waits for a turn.</summary>
    /// <param name="host">Host and port.</param>
    /// <param name="slot">Given back while it waits, and held again on return.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The turn, over when it is disposed; null where too many wait already.</returns>
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

    /// <summary>Who calls a host and who waits for it; forgotten with its last member.</summary>
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
