namespace Halftone.Codec;

/// <summary>The most pixels an image may have each way, as it is seen; null is no bound.</summary>
internal readonly record struct SizeBox(int? MaxWidth, int? MaxHeight)
{
    /// <summary>Whether an image of this size stays as large as it is.</summary>
    public bool Holds(int width, int height) => width <= (MaxWidth ?? width) && height <= (MaxHeight ?? height);

    /// <summary>The same box for pixels that lie on their side.</summary>
    public SizeBox Turned => new(MaxHeight, MaxWidth);

    /// <summary>
    /// The largest size of the same proportions in the box, each side rounded as libvips rounds and 1 at least; never larger than it was.
    /// </summary>
    public (int Width, int Height) Fit(int width, int height)
    {
        var shrink = Math.Max(1, Math.Max((double)width / (MaxWidth ?? width), (double)height / (MaxHeight ?? height)));
        return (Side(width), Side(height));

        int Side(int side) => Math.Max(1, (int)Math.Round(side / shrink, MidpointRounding.AwayFromZero));
    }
}
