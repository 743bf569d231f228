using Halftone.Codec;
using Halftone.Codec.Vips;
using NetVips;

namespace Halftone.Bench;

/// <summary>An image's luma over white, as a viewer shows it, for comparing.</summary>
internal sealed record Luma(int Width, int Height, float[] Values)
{
    /// <summary>Decodes a whole file of any served format; frames of an animation stand one below the other.</summary>
    public static Luma Of(ReadOnlyMemory<byte> file)
    {
        var format = SourceSniffer.Sniff(file.Span).Format ?? throw new InvalidOperationException("no image");
        using var pinned = file.Pin();
        using var pipeline = new VipsPipeline(VipsTranscoder.Open(pinned, file.Length, format, format));
        if (pipeline.Image.Orientation != 1)
        {
            pipeline.Replace(pipeline.Image.CopyMemory()).Apply(turned => turned.Autorot());
        }
        if (pipeline.Image.ColourProfile.Length > 0)
        {
            pipeline.Apply(profiled => profiled.IccTransform("srgb", embedded: true));
        }
        if (pipeline.Image.HasAlpha())
        {
            pipeline.Apply(seen => seen.Flatten(background: [seen.Format == Enums.BandFormat.Uchar ? 255 : 65_535]));
        }
        pipeline.Apply(any => any.Colourspace(Enums.Interpretation.Srgb));
        var image = pipeline.Image;
        using var pixels = image.Pixels();
        var samples = pixels.Bytes;
        int bands = image.Bands;
        var values = new float[image.Width * image.Height];
        for (int i = 0, at = 0; i < values.Length; i++, at += bands)
        {
            values[i] = bands < 3 ? samples[at] : 0.299f * samples[at] + 0.587f * samples[at + 1] + 0.114f * samples[at + 2];
        }
        return new Luma(image.Width, image.Height, values);
    }

    /// <summary>Peak signal-to-noise ratio in dB, at most 99.</summary>
    public double Psnr(Luma other)
    {
        if ((Width, Height) != (other.Width, other.Height))
        {
            throw new InvalidOperationException($"{Width} x {Height} became {other.Width} x {other.Height}");
        }
        double sum = 0;
        for (int i = 0; i < Values.Length; i++)
        {
            double difference = Values[i] - other.Values[i];
            sum += difference * difference;
        }
        return Math.Min(99, 10 * Math.Log10(255 * 255 / Math.Max(1e-9, sum / Values.Length)));
    }
}
