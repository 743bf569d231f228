using Halftone.Codec;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>The memory of all bodies between download and compression.</summary>
/// <remarks>
/// Two shares that never borrow from each other. A quarter is for bodies with a stated length of at most
/// <see cref="SmallBytes"/>, which is nearly all of them: each takes its whole length at once, first come, first
/// served, so a host that sends endless bodies cannot delay ordinary images. The rest is for bodies of unknown or
/// greater length. They start small and double, so that memory is held for bytes received, not for lengths claimed.
/// <para>
/// Downloads that grow and wait for each other could deadlock when the budget is used up. The banker's algorithm
/// prevents it: a body may grow only while the largest one could still grow to its end with what all the others leave.
/// All have the same maximum need, the longest body, so the rule is one line, <see cref="IsSafe"/>: the largest can
/// always proceed, owners return finished bodies without asking for more, and then the next one proceeds. Bodies that
/// are already growing come before new ones.
/// </para>
/// </remarks>
internal sealed class ByteBudget
{
    /// <summary>Maximum stated length that is reserved at once; 1 MiB.</summary>
    public const int SmallBytes = 1 << 20;

    private const int FirstBytes = 64 << 10;

    private const int Growth = 2;

    private readonly Lock gate = new();
    private readonly int maxBytes;
    private readonly long smallShare;
    private readonly long largeShare;
    private readonly LinkedList<Waiter> waiting = [];
    private readonly HashSet<BodyBuffer> growing = [];
    private long smallHeld;
    private long largeHeld;

    public ByteBudget(IOptions<FetchOptions> options)
    {
        maxBytes = options.Value.MaxBytes;
        smallShare = options.Value.BudgetBytes / 4;
        largeShare = options.Value.BudgetBytes - smallShare;
    }

    /// <summary>Bytes of memory held by bodies now; never above the budget.</summary>
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

    /// <summary>
    /// A buffer of at least one byte for a body of the stated length (null: not stated). Waits while the budget is used
    /// up.
    /// </summary>
    /// <param name="statedLength">0 to <see cref="FetchOptions.MaxBytes"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<BodyBuffer> RentAsync(long? statedLength, CancellationToken cancellationToken)
    {
        var isSmall = statedLength <= SmallBytes;
        var longest = WholePages(Math.Min(statedLength ?? maxBytes, maxBytes));
        var buffer = new BodyBuffer(this, isSmall, longest);
        var size = isSmall ? longest : Math.Min(FirstBytes, longest);
        await TakeAsync(buffer, size, cancellationToken);
        try
        {
            buffer.Memory = new SourceMemory(size);
            return buffer;
        }
        catch (InsufficientMemoryException)
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Enlarges a buffer, keeping its content. Waits while the budget is used up or growing is not safe.</summary>
    internal async ValueTask GrowAsync(BodyBuffer buffer, CancellationToken cancellationToken)
    {
        var memory = buffer.Memory!;
        var size = (int)Math.Min(memory.Length * (long)Growth, buffer.LongestBytes);
        await TakeAsync(buffer, size - memory.Length, cancellationToken);
        memory.Grow(size);
    }

    /// <summary>The body is complete and its buffer grows no more.</summary>
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

    /// <summary>Returns all memory.</summary>
    internal void Return(BodyBuffer buffer)
    {
        // Before it is granted to anyone else.
        buffer.Memory?.Dispose();
        lock (gate)
        {
            growing.Remove(buffer);
            (buffer.IsSmall ? ref smallHeld : ref largeHeld) -= buffer.HeldBytes;
            buffer.HeldBytes = 0;
            GrantWaiting();
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

    /// <summary>A body that is already growing goes before new ones, because it holds memory until it ends.</summary>
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

    /// <summary>A new body waits behind all others of its share; a growing one may be the largest and never waits for others.</summary>
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
            // A share smaller than the only body that wants it must not block it forever.
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

    /// <summary>True if the largest growing body could still get what it may need after this one took that many bytes.</summary>
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

        return sum - largest + WholePages(maxBytes) <= largeShare;
    }

    private static int WholePages(long bytes) =>
        (int)((Math.Max(bytes, 1) + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize);

    private sealed record Waiter(BodyBuffer Buffer, int Bytes)
    {
        // Continuations run on other threads, otherwise they would run under the lock here.
        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>One body while it is being received. Belongs to one download; dispose it, or hand it on with <see cref="Complete"/>.</summary>
internal sealed class BodyBuffer(ByteBudget budget, bool isSmall, int longestBytes) : IDisposable
{
    private bool isOver;

    internal bool IsSmall => isSmall;

    /// <summary>The maximum size it may grow to.</summary>
    internal int LongestBytes => longestBytes;

    internal long HeldBytes { get; set; }

    internal SourceMemory? Memory { get; set; }

    /// <summary>Bytes of the body so far.</summary>
    public int Length { get; private set; }

    /// <summary>Space for the next bytes; may be empty.</summary>
    public Memory<byte> Room => Memory!.Memory[Length..];

    public void Advance(int bytes) => Length += bytes;

    public ValueTask GrowAsync(CancellationToken cancellationToken) => budget.GrowAsync(this, cancellationToken);

    /// <summary>Completes the body; its new owner returns the memory.</summary>
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
        }
    }
}

/// <summary>A complete body. Its bytes are gone once it is disposed.</summary>
internal sealed class FetchedBody : IDisposable
{
    private BodyBuffer? buffer;

    internal FetchedBody(BodyBuffer buffer) => this.buffer = buffer;

    /// <exception cref="ObjectDisposedException">The memory was returned.</exception>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            var owned = buffer;
            ObjectDisposedException.ThrowIf(owned is null, this);
            return owned.Memory!.Memory[..owned.Length];
        }
    }

    /// <summary>Returns the bytes to the budget. Safe to call more than once.</summary>
    public void Dispose() => Interlocked.Exchange(ref buffer, null)?.Dispose();
}
