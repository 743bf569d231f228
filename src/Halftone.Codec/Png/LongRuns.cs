using System.Runtime.InteropServices;

namespace Halftone.Codec.Png;

/// <summary>
/// Colours that fill long horizontal runs: the ground of a product picture, the faces of a drawing. A palette that
/// holds them exactly leaves no error there to diffuse, and the flat stays flat.
/// </summary>
internal sealed class LongRuns
{
    /// <summary>Pixels from which a run is long.</summary>
    public const uint Shortest = 24;

    /// <summary>New colours beyond this many are not looked at, so that a hostile image cannot fill memory.</summary>
    private const int MostColours = 4096;

    private readonly Dictionary<uint, long> _pixels = new(256);

    public void Add(uint colour, uint run)
    {
        if (_pixels.Count < MostColours || _pixels.ContainsKey(colour))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_pixels, colour, out _) += run;
        }
    }

    /// <summary>Pixels in long runs of a working colour.</summary>
    public long PixelsOf(uint colour) => _pixels.GetValueOrDefault(colour);

    public void Clear() => _pixels.Clear();

    /// <summary>
    /// Working colours that fill at least <paramref name="leastPixels"/>, largest first, no more than
    /// <paramref name="most"/>.
    /// </summary>
    public IReadOnlyList<uint> Largest(int most, double leastPixels) =>
        [
            .. _pixels.Where(run =>
                run.Value >= leastPixels).OrderByDescending(run => run.Value).ThenBy(run => run.Key).Take(most).Select(run => run.Key)];
}
