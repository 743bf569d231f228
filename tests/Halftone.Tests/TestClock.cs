using Microsoft.Extensions.Time.Testing;

namespace Halftone.Tests;

/// <summary>A clock that stands at the start of 2026 until a test moves it, and that knows which timers are set.</summary>
internal sealed class TestClock() : FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private readonly Lock gate = new();
    private readonly HashSet<Watched> running = [];
    private TimeSpan set;

    /// <summary>Timers that will fire when the clock comes to them.</summary>
    public int RunningTimers
    {
        get
        {
            lock (gate)
            {
                return running.Count;
            }
        }
    }

    /// <summary>True while some timer is set to fire after so long.</summary>
    public bool IsArmed(TimeSpan due)
    {
        lock (gate)
        {
            return running.Any(timer => timer.Due == due);
        }
    }

    /// <summary>Sets the clock to another time of day, as an operator does: no time passes by it.</summary>
    public void Set(TimeSpan by)
    {
        set += by;
        AdjustTime(GetUtcNow() + by);
    }

    public override long GetTimestamp() => base.GetTimestamp() - set.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Watched(this);
        timer.Inner = base.CreateTimer(_ => timer.Fire(() => callback(state)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Watched(TestClock clock) : ITimer
    {
        private bool isRepeated;

        public ITimer Inner { get; set; } = null!;

        public TimeSpan Due { get; private set; }

        public void Fire(Action callback)
        {
            lock (clock.gate)
            {
                if (!isRepeated)
                {
                    clock.running.Remove(this);
                }
            }

            callback();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                (Due, isRepeated) = (dueTime, period > TimeSpan.Zero);
                if (dueTime < TimeSpan.Zero)
                {
                    clock.running.Remove(this);
                }
                else
                {
                    clock.running.Add(this);
                }
            }

            return Inner.Change(dueTime, period);
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                clock.running.Remove(this);
            }

            Inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
