using System.Diagnostics;

namespace Halftone.Telemetry;

/// <summary>
/// The spans of a request: <c>upload</c>, <c>plan</c>, <c>image</c> with <c>fetch</c>, <c>compress</c>, <c>store</c>
/// and <c>record</c>, <c>finish</c>, <c>webhook</c>. The context of the upload and its sampling flag are stored with
/// the request, and later spans, in any process, continue from there. Without a listener nothing is created.
/// </summary>
internal static class Traces
{
    /// <summary>W3C Trace Context allows receivers to drop longer values.</summary>
    private const int MaxStateChars = 512;

    public static readonly ActivitySource Source = new("Halftone");

    /// <summary>The current span of ours as a W3C <c>traceparent</c>; null if there is none.</summary>
    public static string? Current => Activity.Current is { } activity && activity.Source == Source ? activity.Id : null;

    /// <summary>The span of a call from outside, which continues the caller's <c>traceparent</c> if it sent one.</summary>
    public static Activity? StartCall(string name, HttpRequest request)
    {
        // The web server's own span is not exported, so nothing may depend on it.
        Activity.Current = null;
        var state = request.Headers.TraceState.ToString();
        ActivityContext.TryParse(request.Headers.TraceParent, state.Length <= MaxStateChars ? state : null, isRemote: true, out var caller);
        return Source.StartActivity(name, ActivityKind.Server, caller);
    }

    /// <summary>A span that continues one of another process or time; null if there was none.</summary>
    /// <param name="traceParent">The value of <see cref="Current"/>.</param>
    public static Activity? GoOn(string name, string? traceParent, ActivityKind kind = ActivityKind.Internal) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent) ? Source.StartActivity(name, kind, parent) : null;

    /// <summary>A child of the current span of ours; null if there is no such span.</summary>
    public static Activity? Step(string name) => Current is null ? null : Source.StartActivity(name);

    /// <summary>Adds a tag to the current span.</summary>
    public static void Note(string name, object? value)
    {
        if (Current is not null)
        {
            Activity.Current!.SetTag(name, value);
        }
    }

    /// <summary>True if spans of this context are recorded and exported.</summary>
    public static bool IsRecorded(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var context)
            && context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);

    /// <summary>Marks the current span as failed, with a code of the API.</summary>
    public static void Fail(string code)
    {
        Note("error.type", code);
        if (Current is not null)
        {
            Activity.Current!.SetStatus(ActivityStatusCode.Error, code);
        }
    }
}
