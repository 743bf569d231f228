namespace Halftone.Tests.Compress;

/// <summary>A clock whose timers go off only when a test says so.</summary>
internal sealed class HandClock : TimeProvider
{
    private readonly List<HandTimer> timers = [];
    private readonly List<(TimeSpan Due, TaskCompletionSource Armed)> awaited = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HandTimer(this, () => callback(state));
        lock (timers)
        {
            timers.Add(timer);
        }
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Done when some timer is set to go off after so long.</summary>
    public Task ArmedAsync(TimeSpan due)
    {
        lock (timers)
        {
            if (timers.Any(timer => timer.Due == due))
            {
                return Task.CompletedTask;
            }
            var armed = new TaskCompletionSource();
            awaited.Add((due, armed));
            return armed.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        }
    }

    public void Fire(TimeSpan due)
    {
        HandTimer[] ready;
        lock (timers)
        {
            ready = [.. timers.Where(timer => timer.Due == due)];
        }
        Assert.NotEmpty(ready);
        foreach (var timer in ready)
        {
            timer.Fire();
        }
    }

    private sealed class HandTimer(HandClock clock, Action fire) : ITimer
    {
        public TimeSpan Due { get; private set; } = Timeout.InfiniteTimeSpan;

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.timers)
            {
                Due = dueTime;
                foreach (var (_, armed) in clock.awaited.Where(wait => wait.Due == dueTime))
                {
                    armed.TrySetResult();
                }
            }
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
