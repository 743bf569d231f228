using Halftone.Io;

namespace Halftone.Cli;

/// <summary>
/// Logs of the stages in a run without a server. Each kind of warning is shown once, because the result has the outcome
/// of each image. Trouble, such as a failing disk or database or a repeated error, is shown once for as long as it
/// lasts.
/// </summary>
internal sealed class RunLog(TimeProvider time, ProgressDisplay display) : ILogger
{
    /// <summary>Ongoing trouble is logged at least this often, see <see cref="OutageBackoff"/>.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly HashSet<int> shown = [];
    private (long First, long Last, string Reason)? trouble;

    /// <summary>The reason, if trouble has lasted for at least <paramref name="least"/>; otherwise null.</summary>
    public string? TroubleOf(TimeSpan least)
    {
        lock (gate)
        {
            return trouble is { } now && time.GetElapsedTime(now.Last) < LongestSilence && time.GetElapsedTime(now.First) >= least
                ? now.Reason
                : null;
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
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

    /// <summary>Gives this one logger to the whole host.</summary>
    public sealed class Provider(RunLog log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }
}
