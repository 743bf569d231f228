using System.Threading.Channels;

namespace Halftone.Queue;

/// <summary>One line of messages per request; the requests form a ring.</summary>
internal sealed class TurnQueue<T>
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Queue<T>> lines = [];
    private readonly Queue<Guid> turns = [];
    private readonly Channel<bool> available = Channel.CreateUnbounded<bool>();

    public int Count => available.Reader.Count;

    public void Add(Guid requestId, T taken)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(requestId, out var line))
            {
                lines[requestId] = line = [];
                turns.Enqueue(requestId);
            }

            line.Enqueue(taken);
        }

        available.Writer.TryWrite(true);
    }

    public async Task<T> TakeAsync(CancellationToken cancellationToken)
    {
        await available.Reader.ReadAsync(cancellationToken);
        lock (gate)
        {
            var request = turns.Dequeue();
            var line = lines[request];
            var taken = line.Dequeue();
            if (line.Count > 0)
            {
                turns.Enqueue(request);
            }
            else
            {
                lines.Remove(request);
            }

            return taken;
        }
    }
}
