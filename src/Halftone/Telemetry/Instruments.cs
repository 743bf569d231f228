using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Halftone.Telemetry;

/// <summary>
/// Counters and timers; the gauges are in <c>Hosting</c>. docs/operations.md lists all of them. Without a listener each
/// call costs a few nanoseconds.
/// </summary>
internal static class Instruments
{
    public const string MeterName = "Halftone";

    public static readonly Meter Meter = new(MeterName);

    // From a cached name lookup to a download at its timeout.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private static readonly Counter<long> Uploads = Meter.CreateCounter<long>(
        "halftone.uploads",
        "{upload}",
        "Answered uploads, by outcome.");
    private static readonly Counter<long> IntakeRows = Meter.CreateCounter<long>(
        "halftone.intake.rows",
        "{row}",
        "Product rows of accepted uploads.");
    private static readonly Counter<long> IntakeImages = Meter.CreateCounter<long>(
        "halftone.intake.images",
        "{image}",
        "Images of accepted uploads.");
    private static readonly Counter<long> Images = Meter.CreateCounter<long>(
        "halftone.images",
        "{image}",
        "Images with a recorded outcome, by outcome, and by output format or error.");
    private static readonly Counter<long> Input = Meter.CreateCounter<long>(
        "halftone.image.input",
        "By",
        "Bytes of completed images as downloaded.");
    private static readonly Counter<long> Output = Meter.CreateCounter<long>(
        "halftone.image.output",
        "By",
        "Bytes of completed images as stored.");
    private static readonly Histogram<double> StageDuration = Meter.CreateHistogram(
        "halftone.image.stage.duration",
        "s",
        "Duration of a stage of an image, including waiting.",
        [],
        Seconds);
    private static readonly Counter<long> EndedRequests = Meter.CreateCounter<long>(
        "halftone.requests",
        "{request}",
        "Requests that ended, by state.");
    private static readonly Counter<long> WebhookAttempts = Meter.CreateCounter<long>(
        "halftone.webhook.attempts",
        "{attempt}",
        "Attempts to deliver an event, by outcome.");
    private static readonly Histogram<double> WebhookDuration = Meter.CreateHistogram(
        "halftone.webhook.duration",
        "s",
        "Duration of an attempt to deliver an event.",
        [],
        Seconds);
    private static readonly Counter<long> Outages = Meter.CreateCounter<long>(
        "halftone.outages",
        "{wait}",
        "Times that work had to wait because the database, the queue, a store, the disk or the codec failed.");

    public static void Accepted(long rows, long images)
    {
        Uploads.Add(1, Outcome("accepted"));
        IntakeRows.Add(rows);
        IntakeImages.Add(images);
    }

    /// <param name="outcome">rejected, or repeated if its Idempotency-Key names an earlier upload.</param>
    public static void NotAccepted(string outcome) => Uploads.Add(1, Outcome(outcome));

    public static void ImageCompleted(string format, long bytesIn, long bytesOut)
    {
        var formatTag = new KeyValuePair<string, object?>("halftone.image.format", format);
        Images.Add(1, Outcome("completed"), formatTag);
        Input.Add(bytesIn, formatTag);
        Output.Add(bytesOut, formatTag);
    }

    /// <param name="outcome">failed or postponed.</param>
    /// <param name="code">A code of the closed list of errors.</param>
    public static void ImageNotCompleted(string outcome, string code) => Images.Add(1, Outcome(outcome), Error(code));

    /// <param name="stage">resolve, fetch, compress, store or record.</param>
    /// <param name="took">Including the wait for a turn.</param>
    public static void Stage(string stage, TimeSpan took) =>
        StageDuration.Record(took.TotalSeconds, new KeyValuePair<string, object?>("halftone.stage", stage));

    public static void Ended(string state) => EndedRequests.Add(1, new KeyValuePair<string, object?>("halftone.state", state));

    /// <param name="outcome">delivered, postponed, failed or gone.</param>
    /// <param name="code">Null if it was delivered.</param>
    public static void WebhookAttempt(string outcome, string? code, TimeSpan took)
    {
        var tags = new TagList { Outcome(outcome) };
        if (code is not null)
        {
            tags.Add(Error(code));
        }

        WebhookAttempts.Add(1, tags);
        WebhookDuration.Record(took.TotalSeconds);
    }

    public static void Outage() => Outages.Add(1);

    private static KeyValuePair<string, object?> Outcome(string outcome) => new("halftone.outcome", outcome);

    private static KeyValuePair<string, object?> Error(string code) => new("error.type", code);
}
