using System.Numerics;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// One block between source and output: those of its AC coefficients that may be written, in zigzag order, as exact multiples of the output's steps, and
/// the levels chosen for them.
/// </summary>
internal sealed class BlockLevels
{
    private readonly byte[] places = new byte[64];
    private readonly float[] exact = new float[64];
    private readonly int[] levels = new int[64];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Index of each in zigzag order, 1 to 63.</summary>
    public ReadOnlySpan<byte> Places => places.AsSpan(0, Count);

    /// <summary>Magnitude of each in output steps.</summary>
    public ReadOnlySpan<float> Exact => exact.AsSpan(0, Count);

    /// <summary>The level of each, 0 for one that is not written. Before the choice: 0, or -1 for one that is negative.</summary>
    public Span<int> Levels => levels.AsSpan(0, Count);

    /// <summary>The level of the DC coefficient.</summary>
    public int Dc { get; private set; }

    /// <summary>Sum of the squares of the dequantized AC coefficients: 64 times the variance of the samples.</summary>
    public float Energy { get; private set; }

    /// <summary>Takes a block of the source.</summary>
    /// <param name="marks">Of the coefficients that were written.</param>
    public void Gather(ReadOnlySpan<short> coefficients, ulong marks, Requantizer requantizer)
    {
        Dc = requantizer.Dc((marks & 1) == 0 ? 0 : coefficients[0]);
        marks &= ~1ul;
        var ratios = requantizer.Ratios;
        var steps = requantizer.Steps;
        var least = requantizer.Least;
        int count = 0;
        var energy = 0f;
        while (marks != 0)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            int value = coefficients[k];
            var x = Math.Abs(value) * ratios[k];
            if (x > least)
            {
                places[count] = (byte)k;
                exact[count] = x;
                levels[count++] = value >> 31;
                energy += x * steps[k] * (x * steps[k]);
            }
        }
        (Count, Energy) = (count, energy);
    }

    /// <summary>Takes a block that was merged from several.</summary>
    /// <param name="quotients">Coefficients in output steps, in zigzag order.</param>
    /// <param name="marks">Of those that are worth a look.</param>
    public void Gather(ReadOnlySpan<float> quotients, ulong marks, Requantizer requantizer)
    {
        Dc = (int)MathF.Round(quotients[0]);
        marks &= ~1ul;
        var steps = requantizer.Steps;
        var count = 0;
        var energy = 0f;
        while (marks != 0)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            var x = Math.Abs(quotients[k]);
            places[count] = (byte)k;
            exact[count] = x;
            levels[count++] = quotients[k] < 0 ? -1 : 0;
            energy += x * steps[k] * (x * steps[k]);
        }
        (Count, Energy) = (count, energy);
    }

    /// <summary>Takes a block as it is.</summary>
    public void Copy(ReadOnlySpan<short> coefficients, ulong marks)
    {
        Dc = (marks & 1) == 0 ? 0 : coefficients[0];
        marks &= ~1ul;
        var count = 0;
        while (marks != 0)
        {
            var k = BitOperations.TrailingZeroCount(marks);
            marks &= marks - 1;
            places[count] = (byte)k;
            levels[count++] = coefficients[k];
        }
        Count = count;
    }

    /// <summary>How many of them have an index of at most <paramref name="last"/>.</summary>
    public int CountTo(int last)
    {
        var n = 0;
        while (n < Count && places[n] <= last)
        {
            n++;
        }
        return n;
    }
}
