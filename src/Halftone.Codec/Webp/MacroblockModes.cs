using System.Runtime.CompilerServices;

namespace Halftone.Codec.Webp;

/// <summary>Prediction of a whole macroblock's luma or chroma (RFC 6386, section 8).</summary>
internal static class BlockMode
{
    public const int Dc = 0, TrueMotion = 1, Vertical = 2, Horizontal = 3, Count = 4;
}

/// <summary>
/// Prediction of a 4×4 block of luma; the first four are those of <see cref="BlockMode"/>, and count as their neighbours' contexts.
/// </summary>
internal static class SubMode
{
    public const int Dc = 0, TrueMotion = 1, Vertical = 2, Horizontal = 3, RightDown = 4, VerticalRight = 5, LeftDown = 6, VerticalLeft = 7,
        HorizontalDown = 8, HorizontalUp = 9, Count = 10;
}

/// <summary>Sixteen sub-block modes in raster order.</summary>
[InlineArray(16)]
internal struct SubModes
{
    private byte first;
}

/// <summary>How one macroblock is predicted, and which quantizer it has.</summary>
internal struct MacroblockModes
{
    /// <summary>The sixteen blocks of luma have modes of their own.</summary>
    public bool IsSplit;

    /// <summary>Luma of a macroblock that is not split.</summary>
    public byte Luma;

    public byte Chroma;

    /// <summary>0 to 3.</summary>
    public byte Segment;

    /// <summary>It has no coefficients.</summary>
    public bool IsSkipped;

    public SubModes Sub;
}
