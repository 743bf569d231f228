using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>
/// A picture as luma and two chroma planes of half its width and height, in the limited range of VP8 (luma 16 to 235), each filled up to
/// whole
/// macroblocks: 1.5 bytes a pixel.
/// </summary>
internal sealed class Planes : IDisposable
{
    private readonly NativeBuffer<byte> luma = new(), u = new(), v = new();

    public int BlocksWide { get; private set; }

    public int BlocksHigh { get; private set; }

    public int LumaStride => BlocksWide * 16;

    public int ChromaStride => BlocksWide * 8;

    public Span<byte> Luma => luma.Slice(0, LumaStride * BlocksHigh * 16);

    public Span<byte> U => u.Slice(0, ChromaStride * BlocksHigh * 8);

    public Span<byte> V => v.Slice(0, ChromaStride * BlocksHigh * 8);

    /// <summary>Makes room; what is in it is of an earlier picture.</summary>
    /// <param name="blocksWide">In macroblocks, 1,024 at most.</param>
    /// <param name="blocksHigh">The same.</param>
    public void Reset(int blocksWide, int blocksHigh)
    {
        (BlocksWide, BlocksHigh) = (blocksWide, blocksHigh);
        luma.Reserve(LumaStride * blocksHigh * 16L);
        u.Reserve(ChromaStride * blocksHigh * 8L);
        v.Reserve(ChromaStride * blocksHigh * 8L);
    }

    /// <summary>Takes a macroblock from where it was rebuilt.</summary>
    public void Take(Canvas canvas, int column, int row)
    {
        Span<byte> luma = Luma, u = U, v = V;
        for (int y = 0, at = row * 16 * LumaStride + column * 16; y < 16; y++, at += LumaStride)
        {
            Lanes.Store(Lanes.Load(canvas.Luma, Canvas.Start + y * Canvas.Stride), luma, at);
        }

        for (int y = 0, at = row * 8 * ChromaStride + column * 8; y < 8; y++, at += ChromaStride)
        {
            Lanes.Store8(Lanes.Load8(canvas.Chroma, Canvas.Start + y * Canvas.Stride), u, at);
            Lanes.Store8(Lanes.Load8(canvas.Chroma, Canvas.Start + y * Canvas.Stride + 8), v, at);
        }
    }

    public void Trim(long bytes)
    {
        luma.Trim(bytes);
        u.Trim(bytes);
        v.Trim(bytes);
    }

    public void Dispose()
    {
        luma.Dispose();
        u.Dispose();
        v.Dispose();
    }
}
