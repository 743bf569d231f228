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
/// They start small and double, so that memory is held for bytes that came and not for lengths that were claimed.
/// <para>
/// Downloads that grow and wait for each other could all stand still with the budget spent. The banker's rule prevents
/// it: a body may grow only while the largest one could still grow to its end out of what all the others leave. All have
/// the same greatest need (the last doubling holds the old array and the new), so the rule is one line,
/// <see cref="IsSafe"/>: the largest can always go on, finished bodies are given back by their owners without asking for
/// more, and then it is the next one's turn. Bodies that already grow come before new ones.
/// </para>
/// </remarks>
internal sealed class ByteBudget(IOptions<FetchOptions> options)
{
    /// <summary>Longest stated length that is taken at once; 1 MiB.</summary>
    public const int SmallBytes = 1 << 20;

    private const int SmallestArray = 16 << 10;
    private const int FirstArray = 64 << 10;

    private readonly Lock gate = new();
    private readonly long smallShare = options.Value.BudgetBytes / 4;
    private readonly long largeShare = options.Value.BudgetBytes - (options.Value.BudgetBytes / 4);
    private readonly long greatestNeed = GreatestNeed(options.Value.MaxBytes);
    private readonly LinkedList<Waiter> waiting = [];
    private readonly HashSet<BodyBuffer> growing = [];
    private readonly Stack<byte[]>[] idle = [.. Enumerable.Range(0, 32).Select(_ => new Stack<byte[]>())];
    private long smallHeld;
    private long largeHeld;
    private long idleBytes;

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
        var buffer = new BodyBuffer(this, isSmall);
        var size = ArraySize(isSmall ? (int)statedLength!.Value : Math.Min(FirstArray, options.Value.MaxBytes));
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

    /// <summary>Doubles a buffer, keeping its content. Waits while the budget is spent or growing is not safe.</summary>
    internal async ValueTask GrowAsync(BodyBuffer buffer, CancellationToken cancellationToken)
    {
        var old = buffer.Array;
        var size = old.Length * 2;
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

    /// <summary>The last doubling: the array for the longest body, and the one of half its size that it replaces.</summary>
    private static long GreatestNeed(int maxBytes) => ArraySize(maxBytes) * 3L / 2;

    private static int ArraySize(int bytes) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, SmallestArray));

    private byte[] NewArray(int size)
    {
        lock (gate)
        {
            if (idle[BitOperations.Log2((uint)size)].TryPop(out var array))
            {
                idleBytes -= size;
                return array;
            }

            DropIdle(options.Value.BudgetBytes - smallHeld - largeHeld);
        }

        return GC.AllocateUninitializedArray<byte>(size);
    }

    /// <summary>Idle arrays save the collector's work, but they are memory too: at most an eighth of the budget, and within it.</summary>
    private void KeepIdle(byte[] array)
    {
        idle[BitOperations.Log2((uint)array.Length)].Push(array);
        idleBytes += array.Length;
        DropIdle(options.Value.BudgetBytes / 8);
    }

    /// <summary>Largest first: small ones are asked for again.</summary>
    private void DropIdle(long mostBytes)
    {
        for (var order = idle.Length - 1; idleBytes > mostBytes && order >= 0; order--)
        {
            while (idleBytes > mostBytes && idle[order].TryPop(out var dropped))
            {
                idleBytes -= dropped.Length;
            }
        }
    }

    private sealed record Waiter(BodyBuffer Buffer, int Bytes)
    {
        // Continuations run elsewhere: they would run under the lock here.
        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>One body while it comes in. Belongs to one download; dispose it, or hand it on by <see cref="Complete"/>.</summary>
internal sealed class BodyBuffer(ByteBudget budget, bool isSmall) : IDisposable
{
    private bool isOver;

    internal bool IsSmall => isSmall;

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
