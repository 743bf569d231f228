using Halftone.Database;

namespace Halftone.Commands;

/// <summary>
/// What the stages log in a run without a server: errors go to the display, and each kind of warning once, because what became of the images
/// stands in the result. It is remembered for how long there has been an outage.
/// </summary>
internal sealed class RunLog(TimeProvider time, ProgressDisplay display) : ILogger
{
    /// <summary>An outage is logged at least this often as long as it lasts, see <see cref="OutageBackoff"/>.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly HashSet<int> shown = [];
    private (long First, long Last, string Reason)? outage;

    /// <summary>The reason that work has been waiting for since at least <paramref name="least"/>; null where it has not.</summary>
    public string? OutageOf(TimeSpan least)
    {
        lock (gate)
        {
            return outage is { } now && time.GetElapsedTime(now.Last) < LongestSilence && time.GetElapsedTime(now.First) >= least ? now.Reason : null;
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        bool isShown;
        lock (gate)
        {
            isShown = eventId.Id == OutageLog.OutageEvent ? IsNewOutage($"{state}") : logLevel > LogLevel.Warning || shown.Add(eventId.Id);
        }

        if (isShown)
        {
            display.Say(formatter(state, exception) + (exception is null ? "" : $" ({exception.Message})"));
        }
    }

    private bool IsNewOutage(string reason)
    {
        var now = time.GetTimestamp();
        var isNew = outage is not { } earlier || time.GetElapsedTime(earlier.Last, now) >= LongestSilence;
        outage = (isNew ? now : outage!.Value.First, now, reason);
        return isNew;
    }

    /// <summary>Every logger of a host is this one.</summary>
    public sealed class Provider(RunLog log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }
}
