using Halftone.Io;

namespace Halftone.Cli;

/// <summary>
/// What the stages log in a run without a server: each kind of warning is shown once, because what became of the images stands in the result.
/// Trouble is what repeats itself until it is put right: an outage of disk or database, or an error. It is shown once for as long as it lasts.
/// </summary>
internal sealed class RunLog(TimeProvider time, ProgressDisplay display) : ILogger
{
    /// <summary>Trouble is logged at least this often as long as it lasts, see <see cref="OutageBackoff"/>.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly HashSet<int> shown = [];
    private (long First, long Last, string Reason)? trouble;

    /// <summary>The reason that there has been trouble since at least <paramref name="least"/>; null where there has not.</summary>
    public string? TroubleOf(TimeSpan least)
    {
        lock (gate)
        {
            return trouble is { } now && time.GetElapsedTime(now.Last) < LongestSilence && time.GetElapsedTime(now.First) >= least ? now.Reason : null;
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

        var sentence = formatter(state, exception) + (exception is null ? "" : $" ({exception.Message})");
        bool isShown;
        lock (gate)
        {
            if (logLevel > LogLevel.Warning || eventId.Id == OutageLog.OutageEvent)
            {
                NoteTrouble(eventId.Id, sentence);
            }

            isShown = shown.Add(eventId.Id);
        }

        if (isShown)
        {
            display.Say(sentence);
        }
    }

    private void NoteTrouble(int kind, string reason)
    {
        var now = time.GetTimestamp();
        var isNew = trouble is not { } earlier || time.GetElapsedTime(earlier.Last, now) >= LongestSilence;
        trouble = (isNew ? now : trouble!.Value.First, now, reason);
        if (isNew)
        {
            shown.Remove(kind);
        }
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
