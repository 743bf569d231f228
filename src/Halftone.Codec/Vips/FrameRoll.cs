using System.Buffers;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Room for the shrunk or turned frames of an animation. Each is shrunk by itself: libvips keeps them as one tall image, and its kernel
/// would mix the last rows of
/// one frame with the first of the next. The frames of the source are decoded one after the other, so what is held whole is the small ones
/// alone.
/// </summary>
/// <remarks>Outlives the image that <see cref="Shrink"/> returns.</remarks>
internal sealed class FrameRoll : IDisposable
{
    /// <summary>
    /// A hundred seconds at ten a second. A frame of one pixel takes most of a millisecond by itself, so ten thousand took nine seconds.
    /// </summary>
    private const int MostFrames = 1_000;

    /// <summary>Of all shrunk frames; 256 MiB where they have alpha.</summary>
    private const long MostPixels = 64 << 20;

    private SourceMemory? pixels;
    private MemoryHandle pinned;

    /// <summary>Whether so many frames are shrunk one by one; more are shrunk as the one tall image, and mix by three pixels.</summary>
    public static bool Takes(int count, long pixelsOfOne) => count <= MostFrames && count * pixelsOfOne <= MostPixels;

    /// <param name="frames">All frames, one below the other, read from top to bottom.</param>
    /// <param name="width">Of a shrunk frame.</param>
    /// <param name="height">Of a shrunk frame.</param>
    /// <returns>An image with the delays, the loop count and the profile of the source.</returns>
    public Image Shrink(Image frames, int width, int height)
    {
        var shrunk = Make(frames, width, height, frame => VipsShrinker.Apply(frame, width, height));
        if (frames.Orientation == 1)
        {
            return shrunk;
        }

        using var upright = shrunk;
        return upright.Mutate(copy => copy.Set(GValue.GIntType, ImageFields.OrientationField, frames.Orientation));
    }

    /// <summary>Turns each frame as the EXIF tag says, which the new image no longer has.</summary>
    public Image Turn(Image frames)
    {
        var orientation = frames.Orientation;
        var (width, height) = orientation >= 5 ? (frames.PageHeight, frames.Width) : (frames.Width, frames.PageHeight);
        return Make(frames, width, height, frame =>
        {
            frame.Replace(frame.Image.CopyMemory());
            frame.Apply(lying => lying.Autorot());
        });
    }

    private unsafe Image Make(Image frames, int width, int height, Action<VipsPipeline> change)
    {
        int bands = frames.Bands, count = frames.Height / frames.PageHeight, frameBytes = checked(width * height * bands);
        pixels = new SourceMemory(checked(frameBytes * count));
        for (var i = 0; i < count; i++)
        {
            using var frame = new VipsPipeline(frames.ExtractArea(0, i * frames.PageHeight, frames.Width, frames.PageHeight));
            change(frame);
            using var made = frame.Image.Pixels();
            made.Bytes.CopyTo(pixels.GetSpan().Slice(i * frameBytes, frameBytes));
        }

        pinned = pixels.Pin();
        using var roll = Image.OverPixels((nint)pinned.Pointer, width, height * count, bands);
        return roll.AsAnimationOf(frames, height);
    }

    public void Dispose()
    {
        pinned.Dispose();
        pixels?.Dispose();
    }
}
