using System.Diagnostics.Tracing;
using System.Globalization;

namespace Halftone.Hosting;

/// <summary>
/// Logs, at most once a minute, that the collector does not accept telemetry. The OpenTelemetry library reports it only
/// to event listeners.
/// </summary>
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

        var said = string.Format(
            CultureInfo.InvariantCulture,
            eventData.Message ?? eventData.EventName ?? "",
            [.. eventData.Payload ?? []]);
        // The stack trace of an exception follows the first line.
        Log.NotSent(logger, said.Split('\n')[0].TrimEnd());
    }

    private static partial class Log
    {
        [LoggerMessage(1101, LogLevel.Warning, "The collector does not accept telemetry: {Reason}")]
        public static partial void NotSent(ILogger logger, string reason);
    }
}
