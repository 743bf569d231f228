using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>
/// Quantizes by one step for DC and one for AC. A level is (magnitude + bias) / step, its bias below a half: a level that is rounded down
/// costs fewer
/// bits. Coefficients come as one block in raster order, or as rows of four blocks side by side.
/// </summary>
internal sealed class Quantizer
{
    private Vector256<short> steps, rowSteps, acSteps;
    private Vector256<ushort> inverses, rowInverses, acInverses, biases, rowBiases, acBiases;

    /// <param name="dc">Step of DC.</param>
    /// <param name="ac">Step of AC.</param>
    /// <param name="dcRounding">Of 256: what of a step makes another level.</param>
    /// <param name="acRounding">The same for AC.</param>
    public void Prepare(int dc, int ac, int dcRounding, int acRounding)
    {
        steps = OneBlock((short)dc, (short)ac);
        rowSteps = FourBlocks((short)dc, (short)ac);
        acSteps = Vector256.Create((short)ac);
        ushort dcInverse = Inverse(dc), acInverse = Inverse(ac), dcBias = (ushort)(dc * dcRounding / 256),
            acBias = (ushort)(ac * acRounding / 256);
        inverses = OneBlock((short)dcInverse, (short)acInverse).AsUInt16();
        rowInverses = FourBlocks((short)dcInverse, (short)acInverse).AsUInt16();
        acInverses = Vector256.Create(acInverse);
        biases = OneBlock((short)dcBias, (short)acBias).AsUInt16();
        rowBiases = FourBlocks((short)dcBias, (short)acBias).AsUInt16();
        acBiases = Vector256.Create(acBias);
    }

    /// <summary>Levels of a block in raster order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> Block(Vector256<short> coefficients) => Levels(coefficients, biases, inverses);

    /// <summary>Coefficients of a block's levels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> BlockBack(Vector256<short> levels) => levels * steps;

    /// <summary>Levels of the first row of four blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> FirstRow(Vector256<short> coefficients) => Levels(coefficients, rowBiases, rowInverses);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> FirstRowBack(Vector256<short> levels) => levels * rowSteps;

    /// <summary>Levels of another row of four blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> Row(Vector256<short> coefficients) => Levels(coefficients, acBiases, acInverses);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> RowBack(Vector256<short> levels) => levels * acSteps;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Levels(Vector256<short> coefficients, Vector256<ushort> biases, Vector256<ushort> inverses)
    {
        var sign = coefficients >> 15;
        var magnitudes = ((coefficients ^ sign) - sign).AsUInt16();
        return (Lanes.MultiplyHigh(magnitudes + biases, inverses).AsInt16() ^ sign) - sign;
    }

    private static ushort Inverse(int step) => (ushort)((65536 + step - 1) / step);

    private static Vector256<short> OneBlock(short dc, short ac) => Vector256.Create(ac).WithElement(0, dc);

    private static Vector256<short> FourBlocks(short dc, short ac) =>
        Vector256.Create(dc, ac, ac, ac, dc, ac, ac, ac, dc, ac, ac, ac, dc, ac, ac, ac);
}

/// <summary>Levels of blocks in coding order, 16 each, and how long each block is.</summary>
internal sealed class BlockLevels(int blocks)
{
    public short[] Values { get; } = new short[16 * blocks];

    /// <summary>Index after the last level that is not zero.</summary>
    public byte[] Lengths { get; } = new byte[blocks];

    public ReadOnlySpan<short> Block(int index) => Values.AsSpan(16 * index, 16);

    /// <summary>Takes a block in raster order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int index, Vector256<short> raster)
    {
        var ordered = InOrder(raster);
        Lanes.Store(ordered, Values, 16 * index);
        Lengths[index] = (byte)Lanes.Length(ordered);
    }

    /// <summary>Takes a block that is in coding order already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetOrdered(int index, Vector256<short> ordered, int length)
    {
        Lanes.Store(ordered, Values, 16 * index);
        Lengths[index] = (byte)length;
    }

    /// <summary>Takes four blocks that lie side by side, by rows.</summary>
    /// <param name="first">Index of the first block.</param>
    /// <param name="third">Index of the third; the second and the fourth follow theirs.</param>
    /// <param name="r0">The first row of all four.</param>
    /// <param name="r1">The second.</param>
    /// <param name="r2">The third.</param>
    /// <param name="r3">The last.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetFour(int first, int third, Vector256<short> r0, Vector256<short> r1, Vector256<short> r2, Vector256<short> r3)
    {
        Vector256<long> a = Lanes.ZipLow(r0.AsInt64(), r1.AsInt64()), b = Lanes.ZipHigh(r0.AsInt64(), r1.AsInt64());
        Vector256<long> c = Lanes.ZipLow(r2.AsInt64(), r3.AsInt64()), d = Lanes.ZipHigh(r2.AsInt64(), r3.AsInt64());
        Set(first, Vector256.Create(a.GetLower(), c.GetLower()).AsInt16());
        Set(first + 1, Vector256.Create(b.GetLower(), d.GetLower()).AsInt16());
        Set(third, Vector256.Create(a.GetUpper(), c.GetUpper()).AsInt16());
        Set(third + 1, Vector256.Create(b.GetUpper(), d.GetUpper()).AsInt16());
    }

    /// <summary>Raster order to coding order: 0 1 4 8 5 2 3 6 | 9 12 13 10 7 11 14 15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> InOrder(Vector256<short> raster)
    {
        const byte No = 0x80;
        Vector128<byte> low = raster.GetLower().AsByte(), high = raster.GetUpper().AsByte();
        var first = Vector128.ShuffleNative(low, Vector128.Create((byte)0, 1, 2, 3, 8, 9, No, No, 10, 11, 4, 5, 6, 7, 12, 13))
            | Vector128.ShuffleNative(high, Vector128.Create(No, No, No, No, No, No, 0, 1, No, No, No, No, No, No, No, No));
        var second = Vector128.ShuffleNative(low, Vector128.Create(No, No, No, No, No, No, No, No, 14, 15, No, No, No, No, No, No))
            | Vector128.ShuffleNative(high, Vector128.Create((byte)2, 3, 8, 9, 10, 11, 4, 5, No, No, 6, 7, 12, 13, 14, 15));
        return Vector256.Create(first, second).AsInt16();
    }
}
