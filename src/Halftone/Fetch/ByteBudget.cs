using System.Numerics;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>
/// The memory of all bodies between download and compression, and the pool it is reused from.
/// </summary>
/// <remarks>
/// Two shares that never borrow from each other. A quarter is for bodies that state a length of at most
/// <see cref="SmallBytes"/>, which is nearly all of them: each takes its whole length at once, first come first served, so
/// a host that sends endless bodies cannot hold up ordinary images. The rest is for bodies of unknown or greater length.
/// They start small and grow fourfold, so that memory is held for bytes that came and not for lengths that were claimed.
/// <para>
/// Downloads that grow and wait for each other could all stand still with the budget spent. The banker's rule prevents
/// it: a body may grow only while the largest one could still grow to its end out of what all the others leave. All have
/// the same greatest need (the last step holds the old array and the new), so the rule is one line,
/// <see cref="IsSafe"/>: the largest can always go on, finished bodies are given back by their owners without asking for
/// more, and then it is the next one's turn. Bodies that already grow come before new ones.
/// </para>
/// <para>
/// Arrays are used again. What is idle, and what was let go and is not collected yet, counts as memory too: left to itself
/// the collector comes by when some hundreds of megabytes of large arrays lie about, and sixty endless bodies took 1 GB
/// with a budget of 256 MiB.
/// </para>
/// </remarks>
internal sealed class ByteBudget : IDisposable
{
    /// <summary>Longest stated length that is taken at once; 1 MiB.</summary>
    public const int SmallBytes = 1 << 20;

    private const int SmallestArray = 16 << 10;
    private const int FirstArray = 64 << 10;

    private const int Growth = 4;

    /// <summary>Idle arrays that nobody needed for so long are let go.</summary>
    private static readonly TimeSpan TrimPeriod = TimeSpan.FromSeconds(10);

    /// <summary>Letting go of so much is worth asking the collector to give it back to the system.</summary>
    private const long MuchMemory = 32 << 20;

    private readonly Lock gate = new();
    private readonly int maxBytes;
    private readonly long smallShare;
    private readonly long largeShare;
    private readonly long greatestNeed;
    private readonly LinkedList<Waiter> waiting = [];
    private readonly HashSet<BodyBuffer> growing = [];
    private readonly Stack<byte[]>[] idle = [.. Enumerable.Range(0, 32).Select(_ => new Stack<byte[]>())];
    private readonly ITimer trim;
    private bool isTrimDue;
    private long smallHeld;
    private long largeHeld;
    private long idleBytes;
    private long leastIdleBytes;
    private long uncollectedBytes;
    private int collectionsSeen;

    public ByteBudget(IOptions<FetchOptions> options, TimeProvider time)
    {
        maxBytes = options.Value.MaxBytes;
        smallShare = options.Value.BudgetBytes / 4;
        largeShare = options.Value.BudgetBytes - smallShare;
        greatestNeed = GreatestNeed(maxBytes);
        trim = time.CreateTimer(static budget => ((ByteBudget)budget!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Bytes of arrays that bodies hold now; never above the budget.</summary>
    public long HeldBytes
    {
        get
        {
            lock (gate)
            {
                return smallHeld + largeHeld;
            }
        }
    }

    /// <summary>Bytes of arrays that wait to be used again.</summary>
    public long IdleBytes
    {
        get
        {
            lock (gate)
            {
                return idleBytes;
            }
        }
    }

    /// <summary>Bodies that wait for memory now.</summary>
    public int WaitingCount
    {
        get
        {
            lock (gate)
            {
                return waiting.Count;
            }
        }
    }

    /// <summary>A buffer for a body of the stated length (null: not stated), at least one byte long. Waits while the budget is spent.</summary>
    /// <param name="statedLength">0 to <see cref="FetchOptions.MaxBytes"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<BodyBuffer> RentAsync(long? statedLength, CancellationToken cancellationToken)
    {
        var isSmall = statedLength <= SmallBytes;
        var longest = (int)Math.Min(statedLength ?? maxBytes, maxBytes);
        var buffer = new BodyBuffer(this, isSmall, ArraySize(longest));
        var size = ArraySize(isSmall ? longest : Math.Min(FirstArray, longest));
        await TakeAsync(buffer, size, cancellationToken);
        try
        {
            buffer.Array = NewArray(size);
            return buffer;
        }
        catch (OutOfMemoryException)
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Makes a buffer larger, keeping its content. Waits while the budget is spent or growing is not safe.</summary>
    internal async ValueTask GrowAsync(BodyBuffer buffer, CancellationToken cancellationToken)
    {
        var old = buffer.Array;
        var size = (int)Math.Min(old.Length * (long)Growth, buffer.LargestArray);
        await TakeAsync(buffer, size, cancellationToken);
        var larger = NewArray(size);
        old.AsSpan(0, buffer.Length).CopyTo(larger);
        buffer.Array = larger;
        lock (gate)
        {
            KeepIdle(old);
            Release(buffer, old.Length);
        }
    }

    /// <summary>The body is complete: its buffer asks for no more.</summary>
    internal void StopGrowing(BodyBuffer buffer)
    {
        lock (gate)
        {
            if (growing.Remove(buffer))
            {
                GrantWaiting();
            }
        }
    }

    public void Dispose() => trim.Dispose();

    /// <summary>Gives everything back.</summary>
    internal void Return(BodyBuffer buffer)
    {
        lock (gate)
        {
            growing.Remove(buffer);
            if (buffer.Array.Length > 0)
            {
                KeepIdle(buffer.Array);
            }

            Release(buffer, buffer.HeldBytes);
        }
    }

    private async ValueTask TakeAsync(BodyBuffer buffer, int bytes, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(buffer, bytes);
        lock (gate)
        {
            if (!IsBehindOthers(waiter) && TryGrant(waiter))
            {
                return;
            }

            Enqueue(waiter);
        }

        await using (cancellationToken.UnsafeRegister(_ => GiveUp(waiter, cancellationToken), null))
        {
            await waiter.Granted.Task;
        }
    }

    /// <summary>A body that grows already goes before those that have not begun: it holds memory until it ends.</summary>
    private void Enqueue(Waiter waiter)
    {
        var after = waiting.Last;
        while (after is not null && waiter.Buffer.HeldBytes > 0 && after.Value.Buffer.HeldBytes == 0)
        {
            after = after.Previous;
        }

        if (after is null)
        {
            waiting.AddFirst(waiter);
        }
        else
        {
            waiting.AddAfter(after, waiter);
        }
    }

    /// <summary>A new body waits behind everyone of its share; one that grows may be the largest and is never kept waiting by others.</summary>
    private bool IsBehindOthers(Waiter waiter) =>
        waiter.Buffer.HeldBytes == 0 && waiting.Any(other => other.Buffer.IsSmall == waiter.Buffer.IsSmall);

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (waiting.Remove(waiter))
            {
                waiter.Granted.TrySetCanceled(cancellationToken);
                GrantWaiting();
            }
        }
    }

    private void Release(BodyBuffer buffer, long bytes)
    {
        buffer.HeldBytes -= bytes;
        if (buffer.IsSmall)
        {
            smallHeld -= bytes;
        }
        else
        {
            largeHeld -= bytes;
        }

        GrantWaiting();
    }

    private void GrantWaiting()
    {
        var smallBlocked = false;
        var largeBlocked = false;
        for (var node = waiting.First; node is not null;)
        {
            var next = node.Next;
            var waiter = node.Value;
            var isNew = waiter.Buffer.HeldBytes == 0;
            var blocked = isNew && (waiter.Buffer.IsSmall ? smallBlocked : largeBlocked);
            if (!blocked && TryGrant(waiter))
            {
                waiting.Remove(node);
                waiter.Granted.TrySetResult();
            }
            else if (waiter.Buffer.IsSmall)
            {
                smallBlocked = true;
            }
            else
            {
                largeBlocked = true;
            }

            node = next;
        }
    }

    private bool TryGrant(Waiter waiter)
    {
        var buffer = waiter.Buffer;
        if (buffer.IsSmall)
        {
            // A share smaller than the one body that wants it must not block it for ever.
            if (smallHeld > 0 && smallHeld + waiter.Bytes > smallShare)
            {
                return false;
            }

            smallHeld += waiter.Bytes;
        }
        else
        {
            if (largeHeld + waiter.Bytes > largeShare || !IsSafe(buffer, waiter.Bytes))
            {
                return false;
            }

            growing.Add(buffer);
            largeHeld += waiter.Bytes;
        }

        buffer.HeldBytes += waiter.Bytes;
        return true;
    }

    /// <summary>Would the largest growing body still find what it may need, if this one took so many bytes more?</summary>
    private bool IsSafe(BodyBuffer buffer, int bytes)
    {
        var held = buffer.HeldBytes + bytes;
        var sum = held;
        var largest = held;
        foreach (var other in growing)
        {
            if (other != buffer)
            {
                sum += other.HeldBytes;
                largest = Math.Max(largest, other.HeldBytes);
            }
        }

        return sum - largest + greatestNeed <= largeShare;
    }

    /// <summary>The last step: the array for the longest body, and the one of at most half its size that it replaces.</summary>
    private static long GreatestNeed(int maxBytes) => ArraySize(maxBytes) * 3L / 2;

    private static int ArraySize(int bytes) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, SmallestArray));

    private byte[] NewArray(int size)
    {
        bool mustCollect;
        lock (gate)
        {
            if (idle[BitOperations.Log2((uint)size)].TryPop(out var array))
            {
                idleBytes -= size;
                leastIdleBytes = Math.Min(leastIdleBytes, idleBytes);
                return array;
            }

            // What the caller was granted is in the held bytes already. Idle memory fills the share for growing bodies and no more.
            var held = smallHeld + largeHeld;
            var most = Math.Max(largeShare, held);
            DropIdle(most - held);
            mustCollect = held + idleBytes + UncollectedBytes() > most;
        }

        if (mustCollect)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
        }

        return GC.AllocateUninitializedArray<byte>(size);
    }

    private void KeepIdle(byte[] array)
    {
        idle[BitOperations.Log2((uint)array.Length)].Push(array);
        idleBytes += array.Length;
        if (!isTrimDue)
        {
            isTrimDue = true;
            leastIdleBytes = idleBytes;
            trim.Change(TrimPeriod, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Makes room. Largest first: small ones are asked for again.</summary>
    private void DropIdle(long mostBytes)
    {
        for (var order = idle.Length - 1; idleBytes > mostBytes && order >= 0; order--)
        {
            while (idleBytes > mostBytes && TryDrop(order))
            {
                // One more is gone.
            }
        }
    }

    private bool TryDrop(int order)
    {
        if (!idle[order].TryPop(out var dropped))
        {
            return false;
        }

        idleBytes -= dropped.Length;
        uncollectedBytes = UncollectedBytes() + dropped.Length;
        return true;
    }

    /// <summary>Bytes let go since the collector last looked at large arrays.</summary>
    private long UncollectedBytes()
    {
        var collections = GC.CollectionCount(GC.MaxGeneration);
        if (collections != collectionsSeen)
        {
            collectionsSeen = collections;
            uncollectedBytes = 0;
        }

        return uncollectedBytes;
    }

    /// <summary>Lets go of what lay idle through the whole period.</summary>
    private void Trim()
    {
        var dropped = 0L;
        lock (gate)
        {
            for (var order = idle.Length - 1; order >= 0; order--)
            {
                while (dropped + (1L << order) <= leastIdleBytes && TryDrop(order))
                {
                    dropped += 1L << order;
                }
            }

            leastIdleBytes = idleBytes;
            isTrimDue = idleBytes > 0;
            if (isTrimDue)
            {
                trim.Change(TrimPeriod, Timeout.InfiniteTimeSpan);
            }
        }

        if (dropped >= MuchMemory)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private sealed record Waiter(BodyBuffer Buffer, int Bytes)
    {
        // Continuations run elsewhere: they would run under the lock here.
        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>One body while it comes in. Belongs to one download; dispose it, or hand it on by <see cref="Complete"/>.</summary>
internal sealed class BodyBuffer(ByteBudget budget, bool isSmall, int largestArray) : IDisposable
{
    private bool isOver;

    internal bool IsSmall => isSmall;

    internal int LargestArray => largestArray;

    internal long HeldBytes { get; set; }

    internal byte[] Array { get; set; } = [];

    /// <summary>Bytes of the body so far.</summary>
    public int Length { get; private set; }

    /// <summary>Room for the bytes that follow; may be empty.</summary>
    public Memory<byte> Room => Array.AsMemory(Length);

    public void Advance(int bytes) => Length += bytes;

    public ValueTask GrowAsync(CancellationToken cancellationToken) => budget.GrowAsync(this, cancellationToken);

    /// <summary>The body is whole; who gets it returns the memory.</summary>
    public FetchedBody Complete()
    {
        budget.StopGrowing(this);
        return new FetchedBody(this);
    }

    public void Dispose()
    {
        if (!isOver)
        {
            isOver = true;
            budget.Return(this);
            Array = [];
        }
    }
}

/// <summary>A whole body in pooled memory. Its bytes are gone once it is disposed.</summary>
internal sealed class FetchedBody : IDisposable
{
    private BodyBuffer? buffer;

    internal FetchedBody(BodyBuffer buffer) => this.buffer = buffer;

    /// <exception cref="ObjectDisposedException">The memory may hold another image by now.</exception>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            var owned = buffer;
            ObjectDisposedException.ThrowIf(owned is null, this);
            return owned.Array.AsMemory(0, owned.Length);
        }
    }

    /// <summary>Gives the bytes back to the budget. Safe to call more than once.</summary>
    public void Dispose() => Interlocked.Exchange(ref buffer, null)?.Dispose();
}
