using System.Runtime.CompilerServices;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// Requantizes coefficient planes block by block with levels chosen by rate and distortion, or copies them where nothing is to be lost.
/// </summary>
internal sealed class OptimisedEncoder : IPlaneEncoder
{
    /// <summary>Bits that a squared error of one step of luma is worth, where nothing masks it and where a busy block does.</summary>
    private const float LumaWeight = 20, LeastLumaWeight = 10;

    /// <summary>The same for chroma, which nothing masks.</summary>
    private const float ChromaWeight = 9.3f;

    /// <summary>Up to here dropping a coefficient is always cheaper: no symbol is short enough to pay for the rest of the error.</summary>
    private const float LeastLuma = 0.6f, LeastChroma = 0.63f;

    private readonly IOutputScans scans;
    private readonly JpegFrame frame;
    private readonly OutputLayout layout;
    private readonly Requantizer[] requantizers;
    private readonly ChromaMerge[] merges;
    private readonly bool isLossless;
    private readonly BlockLevels block = new();
    private readonly LevelTrellis trellis = new();
    private int blocks, nextUpdate = 256;
    private float lastEnergy;

    /// <param name="requantizers">By component.</param>
    /// <param name="merges">By component; used where the layout merges.</param>
    /// <param name="isLossless">Every coefficient stays as it is.</param>
    public OptimisedEncoder(
        IOutputScans scans, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers, ChromaMerge[] merges, bool isLossless)
    {
        (this.scans, this.frame, this.layout) = (scans, frame, layout);
        (this.requantizers, this.merges, this.isLossless) = (requantizers, merges, isLossless);
        scans.Begin(frame.Components.Length);
    }

    /// <summary>Prepares a component's requantizer for the choice.</summary>
    public static void Prepare(Requantizer requantizer, ReadOnlySpan<byte> wantedSteps, bool isChroma) =>
        requantizer.PrepareChoice(wantedSteps, isChroma ? ChromaWeight : LumaWeight, isChroma ? LeastChroma : LeastLuma);

    public JpegTranscodeResult? EncodeRows(CoefficientPlane[] planes, int planeRow, int firstRow, int rows)
    {
        for (var row = firstRow; row < firstRow + rows; row++)
        {
            if (scans.IsProgressive)
            {
                EncodeByComponent(planes, planeRow, row);
            }
            else
            {
                EncodeByMcu(planes, planeRow, row);
            }

            if (scans.IsFull)
            {
                return new JpegTranscodeResult.NotTaken(JpegNotTaken.TooLarge);
            }
        }

        return null;
    }

    public JpegTranscodeResult? End() => scans.End() ? null : new JpegTranscodeResult.NotTaken(JpegNotTaken.CoefficientRange);

    /// <summary>The blocks of one row of MCUs, MCU by MCU.</summary>
    private void EncodeByMcu(CoefficientPlane[] planes, int planeRow, int row)
    {
        var luma = frame.Components[0];
        for (var column = 0; column < layout.McusWide(frame); column++)
        {
            for (var b = 0; b < layout.LumaH * layout.LumaV; b++)
            {
                int x = column * layout.LumaH + b % layout.LumaH, y = row * layout.LumaV + b / layout.LumaH;
                if (x < luma.BlocksWide && y < luma.BlocksHigh)
                {
                    EncodeLuma(planes[0], x, y - planeRow * layout.LumaV);
                }
                else
                {
                    scans.Pad();
                }
            }

            for (var c = 1; c < frame.Components.Length; c++)
            {
                EncodeChroma(planes[c], c, column, row - planeRow, planeRow);
            }
        }
    }

    /// <summary>The blocks of one row of MCUs, component by component; none without pixels.</summary>
    private void EncodeByComponent(CoefficientPlane[] planes, int planeRow, int row)
    {
        var luma = frame.Components[0];
        for (var y = row * layout.LumaV; y < Math.Min((row + 1) * layout.LumaV, luma.BlocksHigh); y++)
        {
            for (var x = 0; x < luma.BlocksWide; x++)
            {
                EncodeLuma(planes[0], x, y - planeRow * layout.LumaV);
            }
        }

        // Chroma is sampled 1 x 1: as many blocks as MCUs.
        for (var c = 1; c < frame.Components.Length; c++)
        {
            for (var column = 0; column < layout.McusWide(frame); column++)
            {
                EncodeChroma(planes[c], c, column, row - planeRow, planeRow);
            }
        }
    }

    private void EncodeLuma(CoefficientPlane plane, int x, int localY)
    {
        var at = (long)localY * plane.BlocksWide + x;
        Encode(plane.Block(at), plane.Marks(at), 0);
    }

    [SkipLocalsInit]
    private void EncodeChroma(CoefficientPlane plane, int c, int column, int localRow, int planeRow)
    {
        if (!layout.Merges)
        {
            var at = (long)localRow * plane.BlocksWide + column;
            Encode(plane.Block(at), plane.Marks(at), c);
            return;
        }

        var component = frame.Components[c];
        var lastRow = component.BlocksHigh - 1 - planeRow * layout.MergeV;
        Span<float> merged = stackalloc float[64];
        var marks = merges[c].Merge(
            plane, column * layout.MergeH, localRow * layout.MergeV, component.BlocksWide - 1, lastRow, requantizers[c].Least, merged);
        block.Gather(merged, marks, requantizers[c]);
        Choose(c);
    }

    private void Encode(ReadOnlySpan<short> coefficients, ulong marks, int component)
    {
        if (isLossless)
        {
            block.Copy(coefficients, marks);
            scans.Add(component, block);
            return;
        }

        block.Gather(coefficients, marks, requantizers[component]);
        Choose(component);
    }

    private void Choose(int component)
    {
        if (++blocks == nextUpdate)
        {
            // Ever more seldom: the counts settle.
            nextUpdate += Math.Min(blocks, 8192);
            scans.UpdateRates();
        }

        var mask = component == 0 ? Mask() : 1;
        var weights = requantizers[component].Weights;
        var first = 0;
        foreach (var band in scans.Bands(component))
        {
            var end = band.Last == 63 ? block.Count : block.CountTo(band.Last);
            if (end > first)
            {
                trellis.Choose(block, first, end, band, weights, mask);
            }

            first = end;
        }

        scans.Add(component, block);
    }

    /// <summary>A busy block beside a quiet one holds an edge: what is wrong beside an edge shows.</summary>
    private float Mask()
    {
        var energy = Math.Min(block.Energy, lastEnergy);
        lastEnergy = block.Energy;
        return ActivityMask.Weight(energy, LeastLumaWeight / LumaWeight);
    }
}
