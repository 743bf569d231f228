using System.Diagnostics;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Telemetry;

namespace Halftone.Pipeline;

/// <summary>Writes the outcome of an image into its span and the counters.</summary>
internal static class ImageReport
{
    public static void Describe(Activity? span, Message.Image message, RunOutcome outcome)
    {
        if (span is not { IsAllDataRequested: true })
        {
            return;
        }

        span.SetTag("halftone.request_id", message.RequestId);
        span.SetTag("halftone.image_id", message.ImageId);
        span.SetTag("halftone.attempt", message.Attempt + 1);
        // Only the host: the path and query of a URL may contain secrets that the collector must not see.
        span.SetTag("server.address", StrangersUrl.TryParse(message.Url, out var url) ? url.Host : null);
        switch (outcome)
        {
            case RunOutcome.Completed completed:
                span.SetTag("halftone.image.format", FormatName.OfKey(completed.ObjectKey));
                span.SetTag("halftone.image.input", completed.BytesIn);
                span.SetTag("halftone.image.output", completed.BytesOut);
                span.SetTag("halftone.image.reused", completed.Reused);
                break;
            case RunOutcome.Failed failed:
                Traces.Fail(failed.ErrorCode);
                break;
            case RunOutcome.Postponed postponed:
                Traces.Fail(postponed.ErrorCode);
                break;
        }
    }

    /// <summary>Counts an outcome that was recorded.</summary>
    public static void Count(RunOutcome outcome)
    {
        switch (outcome)
        {
            case RunOutcome.Completed completed:
                Instruments.ImageCompleted(FormatName.OfKey(completed.ObjectKey), completed.BytesIn, completed.BytesOut);
                break;
            case RunOutcome.Failed failed:
                Instruments.ImageNotCompleted("failed", failed.ErrorCode);
                break;
            case RunOutcome.Postponed postponed:
                Instruments.ImageNotCompleted("postponed", postponed.ErrorCode);
                break;
        }
    }
}
