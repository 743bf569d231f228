using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>Weighted points in the space of <see cref="PackedColour"/>: what a palette is fitted to. Reused from image to image.</summary>
internal sealed class ColourCloud
{
    private Vector128<float>[] _points = [];
    private float[] _weights = [];

    /// <summary>How many points.</summary>
    public int Count { get; private set; }

    /// <summary>Coordinates; order is free to change together with <see cref="Weights"/>.</summary>
    public Span<Vector128<float>> Points => _points.AsSpan(0, Count);

    /// <summary>Weights, above 0.</summary>
    public Span<float> Weights => _weights.AsSpan(0, Count);

    /// <summary>Sum of the weights; right after <see cref="Weigh"/>.</summary>
    public double TotalWeight { get; private set; }

    public void Clear() => Count = 0;

    public void Add(Vector128<float> point, float weight)
    {
        if (Count == _points.Length)
        {
            Array.Resize(ref _points, Math.Max(4096, Count * 2));
            Array.Resize(ref _weights, _points.Length);
        }

        _points[Count] = point;
        _weights[Count++] = weight;
    }

    /// <summary>
    /// Turns counts into weights: raised to <paramref name="power"/>, then none above <paramref name="cap"/> of the
    /// whole.
    /// </summary>
    public void Weigh(float power, float cap)
    {
        double total = 0;
        foreach (ref float weight in Weights)
        {
            weight = MathF.Pow(weight, power);
            total += weight;
        }

        float most = (float)(total * cap);
        TotalWeight = 0;
        foreach (ref float weight in Weights)
        {
            weight = Math.Min(weight, most);
            TotalWeight += weight;
        }
    }
}
