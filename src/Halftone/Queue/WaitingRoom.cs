namespace Halftone.Queue;

/// <summary>
/// Counts, by request, the images that gave their place back while they wait for a host. The planner looks here before it publishes more
/// of a request: without that, the rows of one slow host would fill the room, and every other request would wait at its door.
/// </summary>
internal sealed class WaitingRoom
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Room> rooms = [];

    /// <summary>Images that wait now.</summary>
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

    /// <summary>Images of the request that wait now.</summary>
    public int CountOf(Guid requestId)
    {
        lock (gate)
        {
            return rooms.TryGetValue(requestId, out var room) ? room.Count : 0;
        }
    }

    /// <summary>The requests of which <paramref name="limit"/> images or more wait.</summary>
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

    /// <summary>Until fewer than <paramref name="limit"/> images of the request wait.</summary>
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
