using System.Diagnostics;

namespace Halftone.Telemetry;

/// <summary>
/// The spans of a request: <c>upload</c>, <c>plan</c>, <c>image</c> with <c>fetch</c>, <c>compress</c>, <c>store</c> and <c>record</c>, <c>finish</c>, <c>webhook</c>.
/// The upload's context is kept with the request, and so is whether it is traced: what comes later, in whatever process, goes on from there. Without a
/// listener nothing is made.
/// </summary>
internal static class Traces
{
    /// <summary>W3C Trace Context allows receivers to drop what is longer.</summary>
    private const int MaxStateChars = 512;

    public static readonly ActivitySource Source = new("Halftone");

    /// <summary>The span of ours that is under way, as a W3C <c>traceparent</c>; null where there is none.</summary>
    public static string? Current => Activity.Current is { } activity && activity.Source == Source ? activity.Id : null;

    /// <summary>The span of a call from outside, which goes on from the caller's <c>traceparent</c> where it sent one.</summary>
    public static Activity? StartCall(string name, HttpRequest request)
    {
        // The web server's own span is not sent, so nothing may hang on it.
        Activity.Current = null;
        var state = request.Headers.TraceState.ToString();
        ActivityContext.TryParse(request.Headers.TraceParent, state.Length <= MaxStateChars ? state : null, isRemote: true, out var caller);
        return Source.StartActivity(name, ActivityKind.Server, caller);
    }

    /// <summary>A span that goes on from one of another process or time; null where there was none.</summary>
    /// <param name="traceParent">As <see cref="Current"/> gave it.</param>
    public static Activity? GoOn(string name, string? traceParent, ActivityKind kind = ActivityKind.Internal) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent) ? Source.StartActivity(name, kind, parent) : null;

    /// <summary>A part of the span that is under way; null where none of ours is.</summary>
    public static Activity? Step(string name) => Current is null ? null : Source.StartActivity(name);

    /// <summary>A fact about the span that is under way.</summary>
    public static void Note(string name, object? value)
    {
        if (Current is not null)
        {
            Activity.Current!.SetTag(name, value);
        }
    }

    /// <summary>Whether spans of this context are kept and sent.</summary>
    public static bool IsRecorded(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var context) && context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);

    /// <summary>The span that is under way ended with an error, in the words of the API.</summary>
    public static void Fail(string code)
    {
        Note("error.type", code);
        if (Current is not null)
        {
            Activity.Current!.SetStatus(ActivityStatusCode.Error, code);
        }
    }
}
