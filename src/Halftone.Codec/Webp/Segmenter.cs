using System.Runtime.Intrinsics;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>
/// Divides macroblocks into four segments by their activity, for sources that bring no segments: smooth ones get finer steps than those
/// whose texture
/// hides errors. Activity is the logarithm of the mean step between neighbouring samples; the segments are its four means.
/// </summary>
internal sealed class Segmenter : IDisposable
{
    private const int Rounds = 8, Levels = 256, LeastRange = 8;

    /// <summary>Differences between neighbours in a macroblock, about: 15 × 16 in each direction.</summary>
    private const float Neighbourhoods = 480;

    private readonly NativeBuffer<byte> activities = new();

    /// <summary>Sets the segment of each macroblock, and plans by them; flat where all are alike.</summary>
    public void Plan(Planes planes, Span<MacroblockModes> modes, double quality, EncoderPlan plan)
    {
        activities.Reserve(modes.Length);
        var own = activities.Slice(0, modes.Length);
        Span<int> histogram = stackalloc int[Levels];
        histogram.Clear();
        var luma = planes.Luma;
        for (var i = 0; i < own.Length; i++)
        {
            own[i] = Activity(luma, planes.LumaStride, i / planes.BlocksWide * 16 * planes.LumaStride + i % planes.BlocksWide * 16);
            histogram[own[i]]++;
        }

        int low = histogram.IndexOfAnyExcept(0), high = histogram.LastIndexOfAnyExcept(0);
        if (high - low < LeastRange)
        {
            plan.Flat(quality);
            return;
        }

        Span<double> centres = stackalloc double[4];
        Span<byte> segmentOf = stackalloc byte[Levels];
        var mean = FourMeans(histogram, low, high, centres, segmentOf);
        for (var i = 0; i < own.Length; i++)
        {
            modes[i].Segment = segmentOf[own[i]];
        }

        plan.BySegments(quality, centres, mean);
    }

    public void Trim(long bytes) => activities.Trim(bytes);

    public void Dispose() => activities.Dispose();

    private static byte Activity(ReadOnlySpan<byte> luma, int stride, int at)
    {
        var sums = Vector128<long>.Zero;
        var row = Lanes.Load(luma, at);
        for (var y = 0; y < 16; y++)
        {
            // The last of each row is compared with itself.
            var right = Vector128.Shuffle(row, Vector128.Create((byte)1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15));
            sums += Lanes.Differences(row, right);
            if (y < 15)
            {
                at += stride;
                var below = Lanes.Load(luma, at);
                sums += Lanes.Differences(row, below);
                row = below;
            }
        }

        return (byte)Math.Min(Levels - 1, 42 * MathF.Log2(1 + Vector128.Sum(sums) * 2 / Neighbourhoods));
    }

    /// <summary>Lloyd's algorithm on a histogram; returns the mean of all.</summary>
    private static double FourMeans(ReadOnlySpan<int> histogram, int low, int high, Span<double> centres, Span<byte> segmentOf)
    {
        for (var k = 0; k < 4; k++)
        {
            centres[k] = low + (2 * k + 1) * (high - low) / 8.0;
        }

        Span<double> sums = stackalloc double[4], counts = stackalloc double[4];
        double sum = 0, count = 0;
        for (var round = 0; round < Rounds; round++)
        {
            sums.Clear();
            counts.Clear();
            (sum, count) = (0, 0);
            var nearest = 0;
            for (var v = low; v <= high; v++)
            {
                while (nearest < 3 && Math.Abs(v - centres[nearest + 1]) < Math.Abs(v - centres[nearest]))
                {
                    nearest++;
                }

                segmentOf[v] = (byte)nearest;
                sums[nearest] += (double)v * histogram[v];
                counts[nearest] += histogram[v];
                sum += (double)v * histogram[v];
                count += histogram[v];
            }

            for (var k = 0; k < 4; k++)
            {
                centres[k] = counts[k] > 0 ? sums[k] / counts[k] : centres[k];
            }
        }

        return sum / count;
    }
}
