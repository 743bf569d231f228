using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// Greedy splits that cut the squared error: the group of points with the largest error is divided across its axis of largest variance, at
/// the place that removes most error, until the error meets a target. After X. Wu, "Color Quantization by Dynamic Programming and Principal
/// Analysis" (1992), and S. J. Wan, P. Prusinkiewicz and S. K. M. Wong, "Variance-based color image quantization for frame buffer display"
/// (1990). The point is where it stops: most pictures need far fewer than 256 colours, and each colour less is shorter codes.
/// </summary>
internal sealed class BoxSplitter
{
    private const int Bins = 256;
    private readonly Box[] _boxes = new Box[256];
    private readonly double[] _binWeights = new double[Bins], _binSums = new double[Bins];

    /// <summary>Splits a cloud; reorders its points so that each group is contiguous.</summary>
    /// <param name="cloud">At least one point, weighed.</param>
    /// <param name="mostColours">1 to 256 groups.</param>
    /// <param name="stopError">Weighted squared error of all groups together at which to stop.</param>
    /// <param name="centres">Takes the mean of each group.</param>
    /// <returns>How many groups.</returns>
    public int Split(ColourCloud cloud, int mostColours, double stopError, Span<Vector128<float>> centres)
    {
        int count = 1;
        _boxes[0] = Measure(cloud, 0, cloud.Count);
        double error = _boxes[0].Error;
        while (count < mostColours && error > stopError)
        {
            int worst = Worst(count);
            var box = _boxes[worst];
            if (box.Error <= 0)
            {
                break;
            }

            int middle = Partition(cloud, box, Cut(cloud, box));
            if (middle == box.Start || middle == box.End)
            {
                _boxes[worst] = box with { Error = 0 }; // points too close to tell apart
                continue;
            }

            var left = Measure(cloud, box.Start, middle);
            var right = Measure(cloud, middle, box.End);
            error += left.Error + right.Error - box.Error;
            _boxes[worst] = left;
            _boxes[count++] = right;
        }

        for (int i = 0; i < count; i++)
        {
            centres[i] = _boxes[i].Mean;
        }

        return count;
    }

    private int Worst(int count)
    {
        int worst = 0;
        for (int i = 1; i < count; i++)
        {
            if (_boxes[i].Error > _boxes[worst].Error)
            {
                worst = i;
            }
        }

        return worst;
    }

    private static Box Measure(ColourCloud cloud, int start, int end)
    {
        var points = cloud.Points[start..end];
        var weights = cloud.Weights[start..end];
        double total = 0;
        var sum = Vector256<double>.Zero;
        var squares = Vector256<double>.Zero;
        for (int i = 0; i < points.Length; i++)
        {
            var point = Doubles(points[i]);
            var weighted = point * weights[i];
            total += weights[i];
            sum += weighted;
            squares += weighted * point;
        }

        var mean = sum / total;
        var errors = Vector256.Max(squares - sum * mean, Vector256<double>.Zero);
        int axis = 1; // green, when all are equal
        for (int i = 0; i < 4; i++)
        {
            axis = errors[i] > errors[axis] ? i : axis;
        }

        return new Box(start, end, axis, Vector128.Narrow(mean.GetLower(), mean.GetUpper()), points.Length < 2 ? 0 : Vector256.Sum(errors));
    }

    /// <summary>The coordinate to cut at: of 255 places evenly spread over the axis, the one that leaves the least squared error.</summary>
    private (float Low, float Scale, int Bin) Cut(ColourCloud cloud, Box box)
    {
        var points = cloud.Points[box.Start..box.End];
        var weights = cloud.Weights[box.Start..box.End];
        float low = float.MaxValue, high = float.MinValue;
        foreach (var point in points)
        {
            float value = point[box.Axis];
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        float scale = (Bins - 0.01f) / Math.Max(high - low, 1e-6f);
        Array.Clear(_binWeights);
        Array.Clear(_binSums);
        double totalWeight = 0, totalSum = 0;
        for (int i = 0; i < points.Length; i++)
        {
            float value = points[i][box.Axis];
            int bin = (int)((value - low) * scale);
            double weighted = (double)weights[i] * value;
            _binWeights[bin] += weights[i];
            _binSums[bin] += weighted;
            totalWeight += weights[i];
            totalSum += weighted;
        }

        return (low, scale, BestBin(totalWeight, totalSum));
    }

    /// <summary>Least error left is largest s²/w of the two sides together, s the sum and w the weight of a side.</summary>
    private int BestBin(double totalWeight, double totalSum)
    {
        double weight = 0, sum = 0, best = -1;
        int cut = 0;
        for (int bin = 0; bin < Bins - 1; bin++)
        {
            weight += _binWeights[bin];
            sum += _binSums[bin];
            double rest = totalWeight - weight;
            if (weight <= 0 || rest <= 0)
            {
                continue;
            }

            double gain = sum * sum / weight + (totalSum - sum) * (totalSum - sum) / rest;
            if (gain > best)
            {
                best = gain;
                cut = bin;
            }
        }

        return cut;
    }

    /// <summary>Moves the points at or below the cut to the front of the box; returns where the others begin.</summary>
    private static int Partition(ColourCloud cloud, Box box, (float Low, float Scale, int Bin) cut)
    {
        var points = cloud.Points;
        var weights = cloud.Weights;
        int left = box.Start, right = box.End;
        while (left < right)
        {
            if ((int)((points[left][box.Axis] - cut.Low) * cut.Scale) <= cut.Bin)
            {
                left++;
                continue;
            }

            right--;
            (points[left], points[right]) = (points[right], points[left]);
            (weights[left], weights[right]) = (weights[right], weights[left]);
        }

        return left;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<double> Doubles(Vector128<float> point)
    {
        var (low, high) = Vector128.Widen(point);
        return Vector256.Create(low, high);
    }

    /// <summary>
    /// A group: points Start to End (exclusive), their mean, their weighted squared error and the axis that has most of
    /// it.
    /// </summary>
    private readonly record struct Box(int Start, int End, int Axis, Vector128<float> Mean, double Error);
}
