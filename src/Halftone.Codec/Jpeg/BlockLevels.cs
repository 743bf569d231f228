using System.Numerics;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Jpeg;

/// <summary>
/// One block between source and output: those of its AC coefficients that may be written, in zigzag order, as exact multiples of the
/// output's steps, and
/// the levels chosen for them.
/// </summary>
internal sealed class BlockLevels
{
    private readonly byte[] places = new byte[64];
    private readonly float[] quotients = new float[64], exact = new float[64];
    private readonly int[] levels = new int[64];
    private ulong gathered;

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
        gathered = Divide(coefficients, marks & ~1ul, requantizer);
        var steps = requantizer.Steps;
        Span<byte> places = this.places;
        Span<float> exact = this.exact;
        Span<int> levels = this.levels;
        ReadOnlySpan<float> quotients = this.quotients;
        var count = 0;
        var energy = 0f;
        for (var left = gathered; left != 0; left &= left - 1)
        {
            var k = BitOperations.TrailingZeroCount(left);
            var x = quotients[k];
            places[count] = (byte)k;
            exact[count] = x;
            levels[count++] = coefficients[k] >> 31;
            energy += x * steps[k] * (x * steps[k]);
        }

        (Count, Energy) = (count, energy);
    }

    /// <summary>Magnitudes in output steps, by index in zigzag order; returns the marks of those that may be written.</summary>
    private ulong Divide(ReadOnlySpan<short> coefficients, ulong marks, Requantizer requantizer)
    {
        const int lanes = 8;
        var ratios = requantizer.Ratios;
        Span<float> quotients = this.quotients;
        var least = Vector256.Create(requantizer.Least);
        var kept = 0ul;
        // What is not marked holds anything, and is left out at the end.
        for (var k = 0; k < 64 && marks >> k != 0; k += lanes)
        {
            var values = Vector128.Create(coefficients.Slice(k, lanes));
            var wide = Vector256.Create(Vector128.WidenLower(values), Vector128.WidenUpper(values));
            var x = Vector256.ConvertToSingle(Vector256.Abs(wide)) * Vector256.Create(ratios.Slice(k, lanes));
            x.CopyTo(quotients[k..]);
            kept |= (ulong)Vector256.GreaterThan(x, least).ExtractMostSignificantBits() << k;
        }

        return kept & marks;
    }

    /// <summary>Takes a block that was merged from several.</summary>
    /// <param name="quotients">Coefficients in output steps, in zigzag order.</param>
    /// <param name="marks">Of those that are worth a look.</param>
    public void Gather(ReadOnlySpan<float> quotients, ulong marks, Requantizer requantizer)
    {
        Dc = (int)MathF.Round(quotients[0]);
        marks &= ~1ul;
        var steps = requantizer.Steps;
        gathered = marks;
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
        gathered = marks;
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
    public int CountTo(int last) => BitOperations.PopCount(gathered & ((2ul << last) - 1));
}
