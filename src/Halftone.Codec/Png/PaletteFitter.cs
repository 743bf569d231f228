using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// Fits a palette to a histogram: splits until the error meets the target, then rounds of k-means (S. P. Lloyd, "Least squares quantization
/// in PCM", 1982). The colours of long runs are entries of their own and
/// no part of the error, or a flat ground would hide how badly the object on it is met. Not thread-safe; reused from image to image.
/// </summary>
internal sealed class PaletteFitter
{
    /// <summary>Splits stop this much above the target, because k-means takes about a tenth off.</summary>
    private const double KMeansGain = 1.12;

    /// <summary>How many colours of long runs are taken exactly, and the least share of the image each must fill.</summary>
    private const int MostExact = 32;
    private const double LeastExactShare = 0.0005;

    private readonly ColourCloud _cloud = new();
    private readonly BoxSplitter _splitter = new();
    private readonly ColourSearch _search = new();
    private readonly Vector128<float>[] _centres = new Vector128<float>[256];
    private readonly Vector256<double>[] _sums = new Vector256<double>[256];
    private readonly double[] _weights = new double[256];

    /// <summary>Mean squared error a channel of the last palette, before rounding to 8 bits, over weighted histogram cells.</summary>
    public double MeanSquaredError { get; private set; }

    /// <summary>Fits.</summary>
    /// <param name="histogram">Of at least one pixel.</param>
    /// <param name="settings">Target, number of colours, rounds.</param>
    /// <param name="palette">Takes the result.</param>
    /// <returns>Working colours that the palette holds exactly, largest area first.</returns>
    public IReadOnlyList<uint> Fit(Histogram histogram, PaletteSettings settings, Palette palette)
    {
        var exact = histogram.Runs.Largest(MostExact, LeastExactShare * histogram.Counted);
        foreach (uint colour in exact)
        {
            histogram.Exclude(colour);
        }

        histogram.FillInto(_cloud);
        MeanSquaredError = 0;
        int count = _cloud.Count == 0 ? 0 : FitCloud(settings, settings.MaxColours - exact.Count);
        count = TakeExactly(exact, count, settings);
        palette.Set(_centres.AsSpan(0, count));
        return exact;
    }

    private int FitCloud(PaletteSettings settings, int mostColours)
    {
        _cloud.Weigh(settings.WeightPower, settings.WeightCap);
        double target = settings.TargetMse * 3 * _cloud.TotalWeight;
        int count = _splitter.Split(_cloud, mostColours, target * KMeansGain, _centres);
        for (int round = 0; round < settings.KMeansRounds; round++)
        {
            Refine(_centres.AsSpan(0, count));
        }

        return count;
    }

    /// <summary>Every point goes to its nearest centre, every centre to the mean of its points.</summary>
    private void Refine(Span<Vector128<float>> centres)
    {
        _search.Set(centres);
        var sums = _sums.AsSpan(0, centres.Length);
        var weights = _weights.AsSpan(0, centres.Length);
        sums.Clear();
        weights.Clear();
        double error = 0;
        var points = _cloud.Points;
        var pointWeights = _cloud.Weights;
        for (int i = 0; i < points.Length; i++)
        {
            int nearest = _search.Nearest(points[i], out float distance);
            sums[nearest] += BoxSplitter.Doubles(points[i]) * pointWeights[i];
            weights[nearest] += pointWeights[i];
            error += (double)distance * pointWeights[i];
        }

        MeanSquaredError = error / _cloud.TotalWeight / 3;
        for (int i = 0; i < centres.Length; i++)
        {
            if (weights[i] > 0)
            {
                var mean = sums[i] / weights[i];
                centres[i] = Vector128.Narrow(mean.GetLower(), mean.GetUpper());
            }
        }
    }

    /// <summary>
    /// Each colour takes the place of its nearest centre. Where that is too far off to be moved, or was taken by a
    /// larger colour, it becomes an entry of its own, for which the splits left room. Returns how many entries there
    /// are then.
    /// </summary>
    private int TakeExactly(IReadOnlyList<uint> colours, int count, PaletteSettings settings)
    {
        _search.Set(_centres.AsSpan(0, count));
        Span<bool> taken = stackalloc bool[count];
        foreach (uint colour in colours)
        {
            var point = PackedColour.Coordinates(colour);
            int nearest = _search.Nearest(point, out float distance);
            if (distance <= settings.Slack && !taken[nearest])
            {
                taken[nearest] = true;
                _centres[nearest] = point;
            }
            else
            {
                _centres[count++] = point;
            }
        }

        return count;
    }
}
