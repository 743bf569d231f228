using System.Diagnostics.Tracing;
using System.Globalization;

namespace Halftone.Hosting;

/// <summary>Says in the log, once a minute at most, that the collector does not take what is sent: the library tells it to event listeners alone.</summary>
internal sealed partial class ExportProblems(TimeProvider time, ILogger logger) : EventListener
{
    private const string Exporter = "OpenTelemetry-Exporter-OpenTelemetryProtocol";
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private long? last;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Exporter)
        {
            EnableEvents(eventSource, EventLevel.Error);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        lock (gate)
        {
            if (last is { } before && time.GetElapsedTime(before) < Silence)
            {
                return;
            }

            last = time.GetTimestamp();
        }

        var said = string.Format(CultureInfo.InvariantCulture, eventData.Message ?? eventData.EventName ?? "", [.. eventData.Payload ?? []]);
        // Behind the first line comes the trace of an exception.
        Log.NotSent(logger, said.Split('\n')[0].TrimEnd());
    }

    private static partial class Log
    {
        [LoggerMessage(1101, LogLevel.Warning, "Telemetry is not taken by the collector: {Reason}")]
        public static partial void NotSent(ILogger logger, string reason);
    }
}
