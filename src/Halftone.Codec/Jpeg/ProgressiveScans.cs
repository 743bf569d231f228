namespace Halftone.Codec.Jpeg;

/// <summary>
/// The scans of a progressive file by spectral selection: DC of all components, then the first AC coefficients of luma, chroma, the rest
/// of luma. Every scan
/// has one component and a Huffman table of its own, and one symbol ends many blocks, which makes the file about 4 % smaller than a
/// baseline one of
/// the same coefficients. Successive approximation saved nothing on top.
/// </summary>
internal sealed class ProgressiveScans : IOutputScans
{
    /// <summary>Last coefficient of luma's first AC scan: after 9, 3.65 % fewer bytes; after 5, 2.9 %; one scan for all, 2.2 %.</summary>
    private const int LumaSplit = 9;

    private readonly OutputScan[] dc, luma, chroma;
    private readonly Band[][] bands;
    private OutputScan[] inOrder = [];

    public ProgressiveScans(TokenChunks memory)
    {
        dc = [new(memory, 0, 0, 0), new(memory, 1, 0, 0), new(memory, 2, 0, 0)];
        luma = [new(memory, 0, 1, LumaSplit), new(memory, 0, LumaSplit + 1, 63)];
        chroma = [new(memory, 1, 1, 63), new(memory, 2, 1, 63)];
        bands = [[luma[0].Band, luma[1].Band], [chroma[0].Band], [chroma[1].Band]];
    }

    public bool IsProgressive => true;

    public bool IsFull => Array.Exists(inOrder, scan => scan.IsFull);

    public void Begin(int components)
    {
        Array.ForEach([.. dc, .. luma, .. chroma], scan => scan.Clear());
        inOrder = components == 1 ? [dc[0], .. luma] : [.. dc, luma[0], .. chroma, luma[1]];
    }

    public ReadOnlySpan<Band> Bands(int component) => bands[component];

    public void Add(int component, BlockLevels block)
    {
        dc[component].AddDc(block.Dc);
        if (component > 0)
        {
            chroma[component - 1].AddAc(block, 0, block.Count);
            return;
        }

        var split = block.CountTo(LumaSplit);
        luma[0].AddAc(block, 0, split);
        luma[1].AddAc(block, split, block.Count);
    }

    /// <summary>A scan of one component has no such blocks (ITU-T T.81, A.2.2).</summary>
    public void Pad() => throw new NotSupportedException();

    public void UpdateRates() => Array.ForEach(inOrder, scan => scan.UpdateRates());

    public bool End()
    {
        var isValid = true;
        foreach (var scan in inOrder)
        {
            isValid &= scan.End();
        }

        return isValid;
    }

    public long Prepare() => inOrder.Sum(scan => scan.Prepare());

    public void Write(OutputBuffer output, JpegWriter writer, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers)
    {
        writer.Frame(Marker.Sof2, frame, layout, requantizers);
        Array.ForEach(inOrder, scan => scan.Write(output, writer));
        output.Append([0xFF, Marker.Eoi]);
    }
}
