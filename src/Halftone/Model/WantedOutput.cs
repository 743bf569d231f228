using Halftone.Codec;

namespace Halftone.Model;

/// <summary>One output to make from an image's source.</summary>
/// <param name="Variant">The name of the variant; null for the main output.</param>
/// <param name="Request">The call to the codec.</param>
internal sealed record WantedOutput(string? Variant, CodecRequest Request)
{
    /// <summary>For logs.</summary>
    public string Description => Variant is null ? "main output" : $"variant {Variant}";

    /// <summary>The main output first, then the variants in their order.</summary>
    public static IReadOnlyList<WantedOutput> Of(Message.Image message)
    {
        var main = new CodecRequest
        {
            Q = message.Quality,
            Format = FormatName.Parse(message.Format),
            MaxWidth = message.MaxWidth,
            MaxHeight = message.MaxHeight,
        };
        var variants = VariantSpec.Parse(message.Variants)
            .Select(variant => new WantedOutput(variant.Name, variant.ToRequest(message.Quality, message.Format)));
        return [new WantedOutput(null, main), .. variants];
    }
}
