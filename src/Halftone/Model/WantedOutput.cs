using Halftone.Codec;

namespace Halftone.Model;

/// <summary>One output to make from an image's source.</summary>
/// <param name="Variant">The name of the variant; null for the main output.</param>
/// <param name="Request">The call to the codec.</param>
internal sealed record WantedOutput(string? Variant, CodecRequest Request)
{
    /// <summary>For logs.</summary>
    public string Description => Variant is null ? "main output" : $"variant {Variant}";
}
