using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>
/// Makes planes of a JPEG's coefficients: the inverse DCT, the range of VP8, and chroma of half the width and height. Where the JPEG's
/// chroma is finer,
/// it is averaged; samples of both lie in the middle between those of luma (JFIF 1.02, page 4).
/// </summary>
internal sealed class JpegSamples
{
    private const int LumaRange = 219, ChromaRange = 224;

    /// <summary>What JPEG and VP8 call no colour.</summary>
    private const byte Grey = 128;

    private readonly InverseDct[] transforms = [new(), new(), new()];
    private readonly JpegFrame frame;
    private readonly Planes planes;
    private readonly byte[] strip;
    private readonly int mergeH, mergeV;
    private bool isPrepared;

    private JpegSamples(JpegFrame frame, Planes planes, int mergeH, int mergeV)
    {
        (this.frame, this.planes, this.mergeH, this.mergeV) = (frame, planes, mergeH, mergeV);
        strip = mergeH * mergeV > 1 ? new byte[frame.Components[1].PaddedWide * 8 * frame.Components[1].V * 8] : [];
        planes.Reset((frame.WidthPixels + 15) >> 4, (frame.HeightPixels + 15) >> 4);
    }

    /// <summary>Null where the chroma is sampled in a way that does not come down to half the width and height by merging pairs.</summary>
    public static JpegSamples? For(JpegFrame frame, Planes planes)
    {
        if (frame.Components.Length == 1)
        {
            return new JpegSamples(frame, planes, 1, 1);
        }

        var (y, cb, cr) = (frame.Components[0], frame.Components[1], frame.Components[2]);
        var isFit = (cb.H, cb.V) == (cr.H, cr.V) && (y.H == cb.H || y.H == 2 * cb.H) && (y.V == cb.V || y.V == 2 * cb.V);
        return isFit ? new JpegSamples(frame, planes, 2 * cb.H / y.H, 2 * cb.V / y.V) : null;
    }

    /// <summary>Takes a row of MCUs.</summary>
    /// <param name="coefficients">One plane for each component.</param>
    /// <param name="from">Which row of MCUs in them.</param>
    /// <param name="row">Which row of the picture it is.</param>
    public void TakeRow(CoefficientPlane[] coefficients, int from, int row)
    {
        if (!isPrepared)
        {
            Prepare();
        }

        for (var c = 0; c < frame.Components.Length; c++)
        {
            var rows = frame.Components.Length == 1 ? 1 : frame.Components[c].V;
            for (var y = 0; y < rows; y++)
            {
                if (c == 0)
                {
                    WriteBlocks(coefficients[c], transforms[c], from * rows + y, planes.Luma, planes.LumaStride, (row * rows + y) * 8);
                }
                else if (mergeH * mergeV == 1)
                {
                    WriteBlocks(coefficients[c], transforms[c], from * rows + y, c == 1 ? planes.U : planes.V, planes.ChromaStride,
                        (row * rows + y) * 8);
                }
                else
                {
                    WriteBlocks(coefficients[c], transforms[c], from * rows + y, strip, frame.Components[c].PaddedWide * 8, y * 8);
                }
            }

            if (c > 0 && mergeH * mergeV > 1)
            {
                Merge(c == 1 ? planes.U : planes.V, frame.Components[c], row);
            }
        }
    }

    /// <summary>After the last row: repeats the last samples of the picture up to whole macroblocks.</summary>
    public void Finish()
    {
        if (frame.Components.Length == 1)
        {
            planes.U.Fill(Grey);
            planes.V.Fill(Grey);
        }

        int width = (frame.WidthPixels + 1) / 2, height = (frame.HeightPixels + 1) / 2;
        Extend(planes.Luma, planes.LumaStride, frame.WidthPixels, frame.HeightPixels);
        Extend(planes.U, planes.ChromaStride, width, height);
        Extend(planes.V, planes.ChromaStride, width, height);
    }

    private void Prepare()
    {
        isPrepared = true;
        for (var c = 0; c < frame.Components.Length; c++)
        {
            transforms[c].Prepare(frame.Components[c].Steps, c == 0 ? LumaRange : ChromaRange);
        }
    }

    /// <summary>Blocks that lie outside the planes hold nothing of the picture.</summary>
    private static void WriteBlocks(CoefficientPlane plane, InverseDct transform, int blockRow, Span<byte> to, int stride, int y)
    {
        if ((long)(y + 8) * stride > to.Length)
        {
            return;
        }

        var count = Math.Min(plane.BlocksWide, stride / 8);
        for (var x = 0; x < count; x++)
        {
            var index = (long)blockRow * plane.BlocksWide + x;
            transform.Write(plane.Block(index), plane.Marks(index), to, y * stride + x * 8, stride);
        }
    }

    /// <summary>Averages pairs of the strip's samples; beyond the picture's last column and row they are repeated.</summary>
    private void Merge(Span<byte> to, JpegComponent component, int mcuRow)
    {
        int stride = component.PaddedWide * 8, rows = component.V * 8 / mergeV, first = mcuRow * rows;
        // Samples of the component that belong to the picture, in all and below this strip's first row.
        int width = mergeH == 2 ? frame.WidthPixels : (frame.WidthPixels + 1) / 2;
        int height = (mergeV == 2 ? frame.HeightPixels : (frame.HeightPixels + 1) / 2) - mcuRow * component.V * 8;
        int outputWide = (frame.WidthPixels + 1) / 2, outputHigh = Math.Min(rows, (frame.HeightPixels + 1) / 2 - first);
        for (var y = 0; y < outputHigh; y++)
        {
            int above = Math.Min(y * mergeV, height - 1) * stride, below = Math.Min(y * mergeV + mergeV - 1, height - 1) * stride;
            var target = to.Slice((first + y) * planes.ChromaStride, outputWide);
            for (var x = 0; x < target.Length; x++)
            {
                int left = Math.Min(x * mergeH, width - 1), right = Math.Min(x * mergeH + mergeH - 1, width - 1);
                target[x] = (byte)((strip[above + left] + strip[above + right] + strip[below + left] + strip[below + right] + 2) >> 2);
            }
        }
    }

    private static void Extend(Span<byte> plane, int stride, int width, int height)
    {
        for (var y = 0; y < height; y++)
        {
            plane.Slice(y * stride + width, stride - width).Fill(plane[y * stride + width - 1]);
        }

        var last = plane.Slice((height - 1) * stride, stride);
        for (var at = height * stride; at < plane.Length; at += stride)
        {
            last.CopyTo(plane[at..]);
        }
    }
}
