using Microsoft.Extensions.Options;

namespace Halftone.Telemetry;

/// <summary>Which images of a traced request are traced: five spans for each of five million would be of use to nobody.</summary>
internal sealed class ImageSample(IOptions<TelemetryOptions> options)
{
    /// <summary>The trace that an image belongs to, or null where it is not to be traced; the same for every attempt of the image.</summary>
    /// <param name="traceParent">The request's.</param>
    /// <param name="index">The image's place in the request, from 0.</param>
    /// <param name="images">The request's images.</param>
    public string? TraceOf(string? traceParent, long index, long images)
    {
        var wanted = options.Value.TracedImages;
        return wanted > 0 && index % Math.Max(1, (images + wanted - 1) / wanted) == 0 && Traces.IsRecorded(traceParent) ? traceParent : null;
    }
}
