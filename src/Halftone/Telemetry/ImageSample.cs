using Microsoft.Extensions.Options;

namespace Halftone.Telemetry;

/// <summary>Selects the images of a traced request that are traced: five spans for each of five million images would help nobody.</summary>
internal sealed class ImageSample(IOptions<TelemetryOptions> options)
{
    /// <summary>The trace that an image belongs to, or null if it is not traced; the same for every attempt of the image.</summary>
    /// <param name="traceParent">The trace parent of the request.</param>
    /// <param name="index">The position of the image in the request, from 0.</param>
    /// <param name="images">Number of images in the request.</param>
    public string? TraceOf(string? traceParent, long index, long images)
    {
        var wanted = options.Value.TracedImages;
        return wanted > 0 && index % Math.Max(1, (images + wanted - 1) / wanted) == 0 && Traces.IsRecorded(traceParent)
            ? traceParent
            : null;
    }
}
