namespace Halftone.Codec.Jpeg;

/// <summary>
/// Quantized coefficients of one component, in zigzag order, 64 to a block, with one bit per coefficient that says whether it
/// was ever written. What is not marked holds what an earlier image left: clearing 8 bytes per block replaces clearing 128.
/// Bit 0 says that the DC coefficient is there.
/// </summary>
internal sealed unsafe class CoefficientPlane : IDisposable
{
    private readonly NativeBuffer<short> coefficients = new();
    private readonly NativeBuffer<ulong> marks = new();

    /// <summary>Blocks per row.</summary>
    public int BlocksWide { get; private set; }

    public int BlocksHigh { get; private set; }

    public short* Coefficients => coefficients.Start;

    public ulong* Marks => marks.Start;

    /// <summary>Makes room and forgets all coefficients.</summary>
    public void Reset(int blocksWide, int blocksHigh)
    {
        (BlocksWide, BlocksHigh) = (blocksWide, blocksHigh);
        var blocks = (nuint)blocksWide * (nuint)blocksHigh;
        coefficients.Reserve(blocks * 64);
        marks.Reserve(blocks);
        Clear();
    }

    /// <summary>Forgets all coefficients.</summary>
    public void Clear()
    {
        for (var row = 0; row < BlocksHigh; row++)
        {
            new Span<ulong>(marks.Start + (long)row * BlocksWide, BlocksWide).Clear();
        }
    }

    public void Trim(nuint bytes)
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
