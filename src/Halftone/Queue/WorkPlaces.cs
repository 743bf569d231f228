namespace Halftone.Queue;

/// <summary>
/// The places of one consumer. A message is admitted once and holds a place while it works; those that gave their place back are
/// bounded by admission, which bounds memory. Who waits for a place never holds one, so nothing can lock up.
/// </summary>
internal sealed class WorkPlaces(int places, int waiting) : IDisposable
{
    private readonly SemaphoreSlim admission = new(places + waiting);
    private readonly SemaphoreSlim free = new(places);

    /// <summary>Before a message is taken off its line.</summary>
    public Task AdmitAsync(CancellationToken cancellationToken) => admission.WaitAsync(cancellationToken);

    /// <summary>
    /// When the message is there and was admitted, and not before: a place held for a message yet to come would be missing to one that waits to go on,
    /// and with one place nothing would ever go on.
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

/// <summary>The place of one message.</summary>
/// <param name="places">Where it is held.</param>
/// <param name="waitingRoom">Counts the message while it is given back; null for what is not counted.</param>
/// <param name="requestId">Whose message it is.</param>
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
