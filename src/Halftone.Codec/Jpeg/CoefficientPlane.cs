namespace Halftone.Codec.Jpeg;

/// <summary>
/// Quantized coefficients of one component, in zigzag order, 64 to a block, with one bit per coefficient that says whether it
/// was ever written. What is not marked holds what an earlier image left: clearing 8 bytes per block replaces clearing 128.
/// Bit 0 says that the DC coefficient is there.
/// </summary>
internal sealed class CoefficientPlane : IDisposable
{
    private readonly NativeBuffer<short> coefficients = new();
    private readonly NativeBuffer<ulong> marks = new();

    /// <summary>Blocks per row.</summary>
    public int BlocksWide { get; private set; }

    public int BlocksHigh { get; private set; }

    /// <summary>The 64 coefficients of a block, by its place row by row.</summary>
    public Span<short> Block(long index) => coefficients.Slice(index * 64, 64);

    public ref ulong Marks(long index) => ref marks[index];

    /// <summary>Makes room and forgets all coefficients.</summary>
    public void Reset(int blocksWide, int blocksHigh)
    {
        (BlocksWide, BlocksHigh) = (blocksWide, blocksHigh);
        var blocks = (long)blocksWide * blocksHigh;
        coefficients.Reserve(blocks * 64);
        marks.Reserve(blocks);
        Clear();
    }

    /// <summary>Forgets all coefficients.</summary>
    public void Clear()
    {
        for (var row = 0; row < BlocksHigh; row++)
        {
            marks.Slice((long)row * BlocksWide, BlocksWide).Clear();
        }
    }

    public void Trim(long bytes)
    {
        coefficients.Trim(bytes);
        marks.Trim(bytes);
    }

    public void Dispose()
    {
        coefficients.Dispose();
        marks.Dispose();
    }
}
