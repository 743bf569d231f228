namespace Halftone.Codec.Jpeg;

/// <summary>
/// How the output samples its components: 4:2:0 where the source's chroma is finer, else as the source does. Factors are reduced,
/// so that chroma is always 1×1.
/// </summary>
/// <param name="LumaH">Luma blocks per MCU and row, 1 to 4.</param>
/// <param name="LumaV">Rows of luma blocks per MCU, 1 to 4.</param>
/// <param name="MergeH">Source chroma blocks that become one, side by side: 1 or 2.</param>
/// <param name="MergeV">The same, one above the other.</param>
internal sealed record OutputLayout(int LumaH, int LumaV, int MergeH, int MergeV)
{
    public bool Merges => MergeH * MergeV > 1;

    /// <summary>Null where the chroma is sampled in a way that no whole number describes.</summary>
    /// <param name="mergeFinerChroma">False leaves every sampling as it is.</param>
    public static OutputLayout? Of(JpegFrame frame, bool mergeFinerChroma)
    {
        if (frame.Components.Length == 1)
        {
            return new OutputLayout(1, 1, 1, 1);
        }

        var (y, cb, cr) = (frame.Components[0], frame.Components[1], frame.Components[2]);
        if ((cb.H, cb.V) != (cr.H, cr.V) || y.H % cb.H != 0 || y.V % cb.V != 0)
        {
            return null;
        }

        int h = y.H / cb.H, v = y.V / cb.V;
        // 4:1:1 and its like have as few chroma samples as 4:2:0, or fewer, and stay as they are.
        if (mergeFinerChroma && h * v < 4 && h <= 2 && v <= 2)
        {
            return new OutputLayout(2, 2, 2 / h, 2 / v);
        }

        // An interleaved MCU has 10 blocks at most (ITU-T T.81, B.2.3).
        return h * v > 8 ? null : new OutputLayout(h, v, 1, 1);
    }

    public int McusWide(JpegFrame frame) => (frame.WidthPixels + 8 * LumaH - 1) / (8 * LumaH);

    public int McusHigh(JpegFrame frame) => (frame.HeightPixels + 8 * LumaV - 1) / (8 * LumaV);
}
