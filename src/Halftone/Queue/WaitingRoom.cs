namespace Halftone.Queue;

/// <summary>
/// Counts, per request, the images that released their slot while they wait for a host. The planner checks it before it
/// publishes more of a request: otherwise the rows of one slow host would fill the waiting room, and every other
/// request would have to wait.
/// </summary>
internal sealed class WaitingRoom
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Room> rooms = [];

    /// <summary>Images waiting now.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return rooms.Values.Sum(room => room.Count);
            }
        }
    }

    /// <summary>Images of the request waiting now.</summary>
    public int CountOf(Guid requestId)
    {
        lock (gate)
        {
            return rooms.TryGetValue(requestId, out var room) ? room.Count : 0;
        }
    }

    /// <summary>The requests with <paramref name="limit"/> or more waiting images.</summary>
    public IReadOnlyList<Guid> Full(int limit)
    {
        lock (gate)
        {
            return [.. rooms.Where(pair => pair.Value.Count >= limit).Select(pair => pair.Key)];
        }
    }

    public void Enter(Guid requestId)
    {
        lock (gate)
        {
            if (!rooms.TryGetValue(requestId, out var room))
            {
                rooms[requestId] = room = new();
            }

            room.Count++;
        }
    }

    public void Leave(Guid requestId)
    {
        TaskCompletionSource? changed;
        lock (gate)
        {
            var room = rooms[requestId];
            changed = room.Changed;
            room.Changed = null;
            if (--room.Count == 0)
            {
                rooms.Remove(requestId);
            }
        }

        changed?.SetResult();
    }

    /// <summary>Waits until fewer than <paramref name="limit"/> images of the request are waiting.</summary>
    public async ValueTask BelowAsync(Guid requestId, int limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (gate)
            {
                if (!rooms.TryGetValue(requestId, out var room) || room.Count < limit)
                {
                    return;
                }

                changed = (room.Changed ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private sealed class Room
    {
        public int Count { get; set; }

        public TaskCompletionSource? Changed { get; set; }
    }
}
