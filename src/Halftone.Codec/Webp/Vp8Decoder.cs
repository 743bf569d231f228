using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>
/// A VP8 key frame to planes (RFC 6386), bit for bit as libwebp decodes it. Not thread-safe; reused from picture to picture.
/// </summary>
internal sealed class Vp8Decoder : IDisposable
{
    private const int MaxPartitions = 8;

    private readonly NativeBuffer<byte> frame = new();
    private readonly NativeBuffer<MacroblockModes> modes = new();
    private readonly CoefficientReader reader = new();
    private readonly Coefficients coefficients = new();
    private readonly Canvas canvas = new();
    private Neighbours[] above = [];
    private byte[] modesAbove = [];
    private FilterStrength[] strengths = [];

    public Vp8Header Header { get; } = new();

    /// <summary>How the source predicts its macroblocks, row by row.</summary>
    public Span<MacroblockModes> Modes => modes.Slice(0, Header.BlocksWide * Header.BlocksHigh);

    /// <summary>Decodes a frame whose size has been read into <see cref="Header"/>, and checked.</summary>
    /// <returns>False where it is broken or ends too early.</returns>
    public bool Decode(ReadOnlySpan<byte> chunk, Planes planes)
    {
        frame.Reserve(chunk.Length + BoolReader.SlackBytes);
        var data = frame.Slice(0, chunk.Length + BoolReader.SlackBytes);
        chunk.CopyTo(data);
        data[chunk.Length..].Clear();
        var partitions = new BoolState[MaxPartitions];
        if (!Header.Read(data, chunk.Length, partitions))
        {
            return false;
        }

        Reserve();
        if (!ModeReader.Read(data, Header, Modes, modesAbove.AsSpan(0, 4 * Header.BlocksWide)))
        {
            return false;
        }

        planes.Reset(Header.BlocksWide, Header.BlocksHigh);
        reader.Begin(Header);
        canvas.Begin(Header.BlocksWide);
        for (var row = 0; row < Header.BlocksHigh; row++)
        {
            ref var partition = ref partitions[row & (Header.PartitionCount - 1)];
            var bits = BoolReader.At(data, partition);
            DecodeRow(ref bits, row, planes);
            if (bits.IsPastEnd)
            {
                return false;
            }

            partition = bits.State;
            FilterRow(row, planes);
        }

        return true;
    }

    public void Trim(long bytes)
    {
        frame.Trim(bytes);
        modes.Trim(bytes);
    }

    public void Dispose()
    {
        frame.Dispose();
        modes.Dispose();
    }

    private void Reserve()
    {
        var wide = Header.BlocksWide;
        modes.Reserve((long)wide * Header.BlocksHigh);
        if (above.Length < wide)
        {
            (above, modesAbove, strengths) = (new Neighbours[wide], new byte[4 * wide], new FilterStrength[wide]);
        }

        above.AsSpan().Clear();
    }

    private void DecodeRow(ref BoolReader bits, int row, Planes planes)
    {
        var left = new Neighbours();
        var ofRow = Modes.Slice(row * Header.BlocksWide, Header.BlocksWide);
        for (var column = 0; column < ofRow.Length; column++)
        {
            ref var mode = ref ofRow[column];
            if (mode.IsSkipped)
            {
                coefficients.Present = 0;
                above[column].Clear(mode.IsSplit);
                left.Clear(mode.IsSplit);
            }
            else
            {
                reader.Read(ref bits, ref mode, coefficients, ref above[column], ref left);
            }

            canvas.MoveTo(column, row);
            Rebuild(mode);
            canvas.Keep(column);
            planes.Take(canvas, column, row);
            strengths[column] = Header.Filter.StrengthOf(mode, Header.HasSegments);
        }
    }

    private void Rebuild(in MacroblockModes mode)
    {
        ReadOnlySpan<short> values = coefficients.Values;
        var present = coefficients.Present;
        if (mode.IsSplit)
        {
            RebuildSplit(mode, values, present);
        }
        else
        {
            Prediction.Luma(mode.Luma, canvas, canvas.Luma);
            for (var y = 0; y < 4; y++)
            {
                if ((present >> (4 * y) & 15) != 0)
                {
                    InverseTransform.AddFour(values[(64 * y)..], canvas.Luma, canvas.Luma, Canvas.Start + 4 * y * Canvas.Stride);
                }
            }
        }

        Prediction.Chroma(mode.Chroma, canvas, canvas.Chroma);
        for (var y = 0; y < 2; y++)
        {
            if ((present >> (16 + 4 * y) & 15) != 0)
            {
                InverseTransform.AddFour(values[(Coefficients.ChromaAt + 64 * y)..], canvas.Chroma, canvas.Chroma, Canvas.Start
                    + 4 * y * Canvas.Stride);
            }
        }
    }

    private void RebuildSplit(in MacroblockModes mode, ReadOnlySpan<short> values, uint present)
    {
        var luma = canvas.Luma;
        for (var b = 0; b < 16; b++)
        {
            var at = Canvas.Start + (b >> 2) * 4 * Canvas.Stride + (b & 3) * 4;
            var samples = new SubPrediction(luma, at).Of(mode.Sub[b]);
            if ((present >> b & 1) != 0)
            {
                // The block's rows are 16 values apart, four values of its neighbours after each.
                var own = values[Coefficients.Luma(b)..];
                samples = InverseTransform.Add(TwoRows(own), TwoRows(own[32..]), samples);
            }

            Lanes.StoreBlock(samples, luma, at, Canvas.Stride);
        }

        static Vector128<short> TwoRows(ReadOnlySpan<short> values)
        {
            var bytes = MemoryMarshal.AsBytes(values);
            return Vector128.Create(Lanes.Load8(bytes, 0), Lanes.Load8(bytes, 32)).AsByte().AsInt16();
        }
    }

    /// <summary>Smooths a row's edges, and with the upper ones up to three rows of samples of the row above.</summary>
    private void FilterRow(int row, Planes planes)
    {
        if (Header.Filter.Level == 0)
        {
            return;
        }

        Span<byte> luma = planes.Luma, u = planes.U, v = planes.V;
        int lumaAt = row * 16 * planes.LumaStride, chromaAt = row * 8 * planes.ChromaStride;
        for (var column = 0; column < planes.BlocksWide; column++)
        {
            var strength = strengths[column];
            if (strength.Limit == 0)
            {
                continue;
            }

            if (Header.Filter.IsSimple)
            {
                LoopFilter.Simple(luma, planes.LumaStride, lumaAt + column * 16, column > 0, row > 0, strength);
            }
            else
            {
                LoopFilter.Luma(luma, planes.LumaStride, lumaAt + column * 16, column > 0, row > 0, strength);
                LoopFilter.Chroma(u, v, planes.ChromaStride, chromaAt + column * 8, column > 0, row > 0, strength);
            }
        }
    }
}
