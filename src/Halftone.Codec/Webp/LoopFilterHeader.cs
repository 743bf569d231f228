namespace Halftone.Codec.Webp;

/// <summary>How strongly the edges of one macroblock are smoothed.</summary>
/// <param name="Limit">Differences across an edge above it are left alone; 0 filters nothing.</param>
/// <param name="InnerLimit">The same between neighbours on one side.</param>
/// <param name="HighVariance">Above it only the two samples at the edge change.</param>
/// <param name="HasInner">Edges inside the macroblock are smoothed too.</param>
internal readonly record struct FilterStrength(byte Limit, byte InnerLimit, byte HighVariance, bool HasInner);

/// <summary>The loop filter's settings (RFC 6386, sections 9.3, 9.6 and 15.2).</summary>
internal sealed class LoopFilterHeader
{
    private const int MaxLevel = 63;

    private PerSegment<int> levels;
    private bool levelsAreAbsolute, hasDeltas;
    private int sharpness, keyDelta, splitDelta;

    /// <summary>Luma alone, two samples.</summary>
    public bool IsSimple { get; private set; }

    /// <summary>0 to 63; 0 leaves the whole frame as it is.</summary>
    public int Level { get; private set; }

    /// <summary>Before the header of another frame.</summary>
    public void Forget()
    {
        levels = default;
        levelsAreAbsolute = true;
    }

    public void ReadSegments(ref BoolReader reader, bool isAbsolute)
    {
        levelsAreAbsolute = isAbsolute;
        for (var s = 0; s < 4; s++)
        {
            levels[s] = reader.OptionalSigned(6);
        }
    }

    public void Read(ref BoolReader reader)
    {
        IsSimple = reader.Flag();
        Level = reader.Number(6);
        sharpness = reader.Number(3);
        hasDeltas = reader.Flag();
        Span<int> deltas = stackalloc int[8];
        deltas.Clear();
        if (hasDeltas && reader.Flag())
        {
            foreach (ref var delta in deltas)
            {
                delta = reader.OptionalSigned(6);
            }
        }

        // Four by reference frame, of which key frames have the first alone, and four by mode, the first for split macroblocks.
        (keyDelta, splitDelta) = (deltas[0], deltas[4]);
    }

    public FilterStrength StrengthOf(in MacroblockModes modes, bool hasSegments)
    {
        if (Level == 0)
        {
            return default;
        }

        var level = !hasSegments ? Level : levelsAreAbsolute ? levels[modes.Segment] : Level + levels[modes.Segment];
        if (hasDeltas)
        {
            level += keyDelta + (modes.IsSplit ? splitDelta : 0);
        }

        level = Math.Clamp(level, 0, MaxLevel);
        if (level == 0)
        {
            return default;
        }

        var inner = level;
        if (sharpness > 0)
        {
            inner = Math.Min(inner >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
        }

        inner = Math.Max(inner, 1);
        return new FilterStrength((byte)(2 * level + inner), (byte)inner, (byte)(level >= 40 ? 2 : level >= 15 ? 1 : 0), modes.IsSplit
            || !modes.IsSkipped);
    }
}
