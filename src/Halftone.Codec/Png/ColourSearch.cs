using System.Numerics;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>Up to 256 points and the nearest of them, found by looking at all: as many at a time as the processor has lanes.</summary>
internal sealed class ColourSearch
{
    /// <summary>A coordinate no colour can be near to: fills the places behind the last point, so that whole vectors can be read.</summary>
    private const float Nowhere = 1e6f;

    private readonly float[] _red = new float[256], _green = new float[256], _blue = new float[256], _alpha = new float[256];
    private static readonly Vector<int> Lanes = Vector.CreateSequence(0, 1);

    /// <summary>How many points.</summary>
    public int Count { get; private set; }

    /// <summary>Replaces all points.</summary>
    /// <param name="points">1 to 256.</param>
    public void Set(ReadOnlySpan<Vector128<float>> points)
    {
        Count = points.Length;
        for (int i = 0; i < 256; i++)
        {
            Set(i, i < points.Length ? points[i] : Vector128.Create(Nowhere));
        }
    }

    /// <summary>Index of the nearest point, of equally near ones any.</summary>
    /// <param name="point">Coordinates.</param>
    /// <param name="distance">Squared.</param>
    public int Nearest(Vector128<float> point, out float distance)
    {
        var red = new Vector<float>(point[0]);
        var green = new Vector<float>(point[1]);
        var blue = new Vector<float>(point[2]);
        var alpha = new Vector<float>(point[3]);
        var least = new Vector<float>(float.MaxValue);
        var nearest = Vector<int>.Zero;
        var ids = Lanes;
        for (int i = 0; i < Count; i += Vector<float>.Count)
        {
            var dr = Vector.LoadUnsafe(ref _red[i]) - red;
            var dg = Vector.LoadUnsafe(ref _green[i]) - green;
            var db = Vector.LoadUnsafe(ref _blue[i]) - blue;
            var da = Vector.LoadUnsafe(ref _alpha[i]) - alpha;
            var squared = dr * dr + dg * dg + (db * db + da * da);
            var nearer = Vector.LessThan(squared, least);
            least = Vector.ConditionalSelect(nearer, squared, least);
            nearest = Vector.ConditionalSelect(nearer, ids, nearest);
            ids += new Vector<int>(Vector<float>.Count);
        }

        int lane = 0;
        for (int i = 1; i < Vector<float>.Count; i++)
        {
            lane = least[i] < least[lane] ? i : lane;
        }

        distance = least[lane];
        return nearest[lane];
    }

    /// <summary>Squared distance to one of the points.</summary>
    public float Distance(Vector128<float> point, int index)
    {
        var difference = point - Vector128.Create(_red[index], _green[index], _blue[index], _alpha[index]);
        return Vector128.Dot(difference, difference);
    }

    private void Set(int index, Vector128<float> point)
    {
        _red[index] = point[0];
        _green[index] = point[1];
        _blue[index] = point[2];
        _alpha[index] = point[3];
    }
}
