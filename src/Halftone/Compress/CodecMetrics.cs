using System.Diagnostics.Metrics;
using Halftone.Codec;
using Halftone.Model;
using Halftone.Telemetry;

namespace Halftone.Compress;

/// <summary>
/// Counts images of the codec: <c>halftone.codec.images</c> with <c>halftone.outcome</c> (<c>compressed</c>,
/// <c>kept_original</c> or an error code), for outputs <c>halftone.codec.way</c>, and for JPEGs that did not stay in
/// the DCT domain <c>halftone.codec.not_taken</c> with the reason.
/// </summary>
internal static class CodecMetrics
{
    private static readonly Counter<long> Images = Instruments.Meter.CreateCounter<long>(
        "halftone.codec.images",
        "{image}",
        "Images that went through the codec.");

    public static void Count(CodecResult result)
    {
        switch (result)
        {
            case CodecResult.Compressed { NotTaken: { } reason } output:
                Images.Add(1, Outcome(output), Way(output), new("halftone.codec.not_taken", reason.ToString()));
                break;
            case CodecResult.Compressed output:
                Images.Add(1, Outcome(output), Way(output));
                break;
            case CodecResult.Refused refused:
                Images.Add(1, new KeyValuePair<string, object?>("halftone.outcome", ErrorCode.Of(refused.Error)));
                break;
        }
    }

    private static KeyValuePair<string, object?> Outcome(CodecResult.Compressed output) =>
        new("halftone.outcome", output.KeptOriginal ? "kept_original" : "compressed");

    private static KeyValuePair<string, object?> Way(CodecResult.Compressed output) => new("halftone.codec.way", output.Way.ToString());
}
