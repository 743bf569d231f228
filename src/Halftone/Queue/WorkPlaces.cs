namespace Halftone.Queue;

/// <summary>
/// The slots of one consumer. A message is admitted once and holds a slot while it works; messages that released their
/// slot are bounded by admission, which bounds memory. Nobody holds a slot while waiting for another, so there is no
/// deadlock.
/// </summary>
internal sealed class WorkPlaces(int places, int waiting) : IDisposable
{
    private readonly SemaphoreSlim admission = new(places + waiting);
    private readonly SemaphoreSlim free = new(places);

    /// <summary>Called before a message is taken off its line.</summary>
    public Task AdmitAsync(CancellationToken cancellationToken) => admission.WaitAsync(cancellationToken);

    /// <summary>
    /// Called once the message is there and admitted, not before: a slot held for a future message would be missing for
    /// one that waits to continue, and with a single slot nothing would ever continue.
    /// </summary>
    public Task EnterAsync(CancellationToken cancellationToken) => free.WaitAsync(cancellationToken);

    public void GiveBack() => free.Release();

    public Task TakeAgainAsync(CancellationToken cancellationToken) => free.WaitAsync(cancellationToken);

    public void Leave() => admission.Release();

    public void Dispose()
    {
        admission.Dispose();
        free.Dispose();
    }
}

/// <summary>The slot of one message.</summary>
/// <param name="places">The slots it belongs to.</param>
/// <param name="waitingRoom">Counts the message while its slot is released; null if it is not counted.</param>
/// <param name="requestId">The request of the message.</param>
internal sealed class WorkSlot(WorkPlaces places, WaitingRoom? waitingRoom, Guid requestId) : IWorkSlot
{
    private bool isHeld = true;

    public void GiveBack()
    {
        if (isHeld)
        {
            isHeld = false;
            waitingRoom?.Enter(requestId);
            places.GiveBack();
        }
    }

    public async ValueTask TakeAgainAsync(CancellationToken cancellationToken)
    {
        if (!isHeld)
        {
            await places.TakeAgainAsync(cancellationToken);
            isHeld = true;
            waitingRoom?.Leave(requestId);
        }
    }

    public void Leave()
    {
        if (isHeld)
        {
            places.GiveBack();
        }
        else
        {
            waitingRoom?.Leave(requestId);
        }

        places.Leave();
    }
}
