namespace Halftone.Fetch;

/// <summary>
/// The time that one attempt may take at its origin: <see cref="FetchOptions.AttemptTimeout"/> in total, and the
/// minimum speed of its body. The clock is paused while Halftone itself makes the attempt wait.
/// </summary>
internal sealed class FetchClock : IDisposable
{
    private readonly FetchOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource expiry;
    private readonly CancellationTokenSource expiryOrStop;
    private TimeSpan left;
    private long runningSince;
    private ITimer? speed;
    private bool isGraceOver;
    private long windowBytes;

    /// <summary>Starts paused; <see cref="Run"/> starts it.</summary>
    public FetchClock(FetchOptions options, TimeProvider time, CancellationToken stop)
    {
        this.options = options;
        this.time = time;
        left = options.AttemptTimeout;
        expiry = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        expiryOrStop = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, stop);
        Stop = stop;
    }

    /// <summary>Cancelled when the time is up, the body is too slow, or the caller stops.</summary>
    public CancellationToken Token => expiryOrStop.Token;

    /// <summary>Cancelled only when the caller stops.</summary>
    public CancellationToken Stop { get; }

    /// <summary>True if we gave up, rather than having been told to stop.</summary>
    public bool IsExpired => expiry.IsCancellationRequested;

    /// <summary>True if the body was too slow.</summary>
    public bool IsTooSlow { get; private set; }

    /// <summary>True once the body is being read.</summary>
    public bool IsInBody { get; private set; }

    public void Run()
    {
        runningSince = time.GetTimestamp();
        expiry.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        RestartSpeed();
    }

    public void Pause()
    {
        expiry.CancelAfter(Timeout.InfiniteTimeSpan);
        speed?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        left -= time.GetElapsedTime(runningSince);
    }

    /// <summary>Waits for something of our own while the clock is paused.</summary>
    public async ValueTask OutsideAsync(ValueTask wait)
    {
        if (wait.IsCompletedSuccessfully)
        {
            return;
        }

        Pause();
        await wait;
        Run();
    }

    /// <summary>The same for a wait with a result.</summary>
    public async ValueTask<T> OutsideAsync<T>(ValueTask<T> wait)
    {
        if (wait.IsCompletedSuccessfully)
        {
            return wait.Result;
        }

        Pause();
        var result = await wait;
        Run();
        return result;
    }

    /// <summary>Starts measuring the speed.</summary>
    public void StartBody()
    {
        IsInBody = true;
        if (options.MinBytesPerSecond > 0)
        {
            speed = time.CreateTimer(static clock => ((FetchClock)clock!).MeasureSpeed(), this, options.SpeedGrace, options.SpeedWindow);
        }
    }

    public void Received(int bytes) => Interlocked.Add(ref windowBytes, bytes);

    public void Dispose()
    {
        speed?.Dispose();
        expiryOrStop.Dispose();
        expiry.Dispose();
    }

    private void RestartSpeed()
    {
        isGraceOver = false;
        speed?.Change(options.SpeedGrace, options.SpeedWindow);
    }

    private void MeasureSpeed()
    {
        var bytes = Interlocked.Exchange(ref windowBytes, 0);
        if (!isGraceOver)
        {
            isGraceOver = true;
            return;
        }

        if (bytes < options.MinBytesPerSecond * options.SpeedWindow.TotalSeconds)
        {
            IsTooSlow = true;
            try
            {
                expiry.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The body ended just before this tick.
            }
        }
    }
}
