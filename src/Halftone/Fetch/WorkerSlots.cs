namespace Halftone.Fetch;

/// <summary>
/// How many images are worked on at once. An image that only waits for its host's turn gives its slot to another, so a
/// thousand rows of a slow host do not keep the rows of other hosts waiting.
/// </summary>
/// <remarks>
/// Who holds a slot never waits for a host, and who waits for a host holds no slot: nothing can lock up. A slot is taken
/// again only after the host's turn came, in the order of asking.
/// </remarks>
internal sealed class WorkerSlots(int count) : IDisposable
{
    private readonly SemaphoreSlim free = new(count);

    /// <summary>Slots nobody holds now.</summary>
    public int FreeCount => free.CurrentCount;

    public async ValueTask<WorkerSlot> TakeAsync(CancellationToken cancellationToken)
    {
        await free.WaitAsync(cancellationToken);
        return new WorkerSlot(free);
    }

    public void Dispose() => free.Dispose();
}

/// <summary>One image's slot; dispose it when the image is done. For one flow at a time.</summary>
internal sealed class WorkerSlot(SemaphoreSlim free) : IDisposable
{
    private bool isHeld = true;

    /// <summary>Lets another image work. Calling it again changes nothing.</summary>
    public void GiveBack()
    {
        if (isHeld)
        {
            isHeld = false;
            free.Release();
        }
    }

    /// <summary>Waits for a slot again.</summary>
    public async ValueTask TakeAgainAsync(CancellationToken cancellationToken)
    {
        if (!isHeld)
        {
            await free.WaitAsync(cancellationToken);
            isHeld = true;
        }
    }

    public void Dispose() => GiveBack();
}
