using System.Buffers;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>The frames of an animated PNG, painted one after the other, as one tall image. Outlives it.</summary>
internal sealed class PaintedFrames : IDisposable
{
    /// <summary>Of all frames; 256 MiB.</summary>
    public const long MostPixels = 64 << 20;

    private const int Bands = 4;

    private readonly SourceMemory memory;
    private MemoryHandle pinned;

    /// <param name="facts">Of the file.</param>
    /// <param name="frames">Of the file; their canvases together have at most <see cref="MostPixels"/>.</param>
    /// <exception cref="VipsException">A frame is broken.</exception>
    public PaintedFrames(PngFacts facts, IReadOnlyList<PngFrame> frames)
    {
        var canvasBytes = checked(facts.Width * facts.Height * Bands);
        memory = new SourceMemory(checked(canvasBytes * frames.Count));
        var canvas = new byte[canvasBytes];
        for (var i = 0; i < frames.Count; i++)
        {
            var frame = frames[i];
            // Before the first frame there is nothing to put back.
            var disposal = frame.Disposal == 2 && i == 0 ? 1 : frame.Disposal;
            var before = disposal == 2 ? canvas.ToArray() : canvas;
            PngAnimation.Paint(canvas, facts.Width, frame, Decode(frame));
            canvas.CopyTo(memory.GetSpan()[(i * canvasBytes)..]);
            if (disposal == 1)
            {
                PngAnimation.Clear(canvas, facts.Width, frame);
            }

            canvas = before;
        }
    }

    /// <param name="facts">Of the file.</param>
    /// <param name="frames">Those that were painted.</param>
    /// <param name="profile">The file's; empty without one.</param>
    public unsafe Image Open(PngFacts facts, IReadOnlyList<PngFrame> frames, byte[] profile)
    {
        pinned = memory.Pin();
        using var tall = Image.OverPixels((nint)pinned.Pointer, facts.Width, facts.Height * frames.Count, Bands);
        return tall.Mutate(copy =>
        {
            if (frames.Count > 1)
            {
                copy.Set(GValue.GIntType, ImageFields.PageHeight, facts.Height);
                copy.Set(GValue.ArrayIntType, ImageFields.Delay, frames.Select(frame => frame.DelayMilliseconds).ToArray());
                copy.Set(GValue.GIntType, ImageFields.Loop, facts.Plays);
            }

            if (profile.Length > 0)
            {
                copy.Set(GValue.BlobType, ImageFields.Profile, profile);
            }
        });
    }

    public void Dispose()
    {
        pinned.Dispose();
        memory.Dispose();
    }

    /// <summary>Straight RGBA of 8 bits.</summary>
    private static byte[] Decode(PngFrame frame)
    {
        using var source = ((ReadOnlyMemory<byte>)frame.Png).Pin();
        using var pipeline = new VipsPipeline(VipsTranscoder.Open(source, frame.Png.Length, ImageFormat.Png, ImageFormat.Png));
        if (pipeline.Image.Interpretation != Enums.Interpretation.Srgb)
        {
            pipeline.Apply(image => image.Colourspace(Enums.Interpretation.Srgb));
        }

        if (pipeline.Image.Bands < Bands)
        {
            pipeline.Apply(image => image.Bandjoin(255));
        }

        if (pipeline.Image.Format != Enums.BandFormat.Uchar)
        {
            pipeline.Apply(image => image.Cast(Enums.BandFormat.Uchar));
        }

        using var pixels = pipeline.Image.Pixels();
        return pixels.Bytes.ToArray();
    }
}
