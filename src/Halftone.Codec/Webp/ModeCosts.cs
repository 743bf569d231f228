namespace Halftone.Codec.Webp;

/// <summary>What telling a mode costs, in 1/256 bit.</summary>
internal static class ModeCosts
{
    /// <summary>By mode above × 10 + mode at the left, 16 places each.</summary>
    public const int SubStride = 16;

    private static readonly ushort[] sub = MakeSub();
    private static readonly ushort[] luma = MakeLuma();

    /// <summary>Of the sub-block modes.</summary>
    public static ReadOnlySpan<ushort> Sub => sub;

    /// <summary>Of the modes of a whole macroblock.</summary>
    public static ReadOnlySpan<ushort> Luma => luma;

    /// <summary>Of saying that a macroblock is split.</summary>
    public static int Split { get; } = Cost(ModeTrees.IsWhole, 0);

    private static int Cost(int probability, int bit) => CoefficientTree.BitCosts[bit != 0 ? 256 - probability : probability];

    private static ushort[] MakeLuma()
    {
        int whole = Cost(ModeTrees.IsWhole, 1), first = whole + Cost(ModeTrees.LumaFirst, 0), second = whole + Cost(ModeTrees.LumaFirst, 1);
        var costs = new ushort[BlockMode.Count];
        costs[BlockMode.Dc] = (ushort)(first + Cost(ModeTrees.LumaVertical, 0));
        costs[BlockMode.Vertical] = (ushort)(first + Cost(ModeTrees.LumaVertical, 1));
        costs[BlockMode.Horizontal] = (ushort)(second + Cost(ModeTrees.LumaTrueMotion, 0));
        costs[BlockMode.TrueMotion] = (ushort)(second + Cost(ModeTrees.LumaTrueMotion, 1));
        return costs;
    }

    private static ushort[] MakeSub()
    {
        var costs = new ushort[SubMode.Count * SubMode.Count * SubStride];
        for (var context = 0; context < SubMode.Count * SubMode.Count; context++)
        {
            for (var mode = 0; mode < SubMode.Count; mode++)
            {
                var cost = 0;
                foreach (var (place, bit) in SubModeTree.Path(mode))
                {
                    cost += Cost(Vp8Tables.SubModes[context * 9 + place], bit);
                }

                costs[context * SubStride + mode] = (ushort)cost;
            }
        }

        return costs;
    }
}

/// <summary>The tree of the sub-block modes (RFC 6386, section 11.2): decisions by place among nine probabilities.</summary>
internal static class SubModeTree
{
    private static readonly (byte Place, byte Bit)[][] paths =
    [
        [(0, 0)],
        [(0, 1), (1, 0)],
        [(0, 1), (1, 1), (2, 0)],
        [(0, 1), (1, 1), (2, 1), (3, 0), (4, 0)],
        [(0, 1), (1, 1), (2, 1), (3, 0), (4, 1), (5, 0)],
        [(0, 1), (1, 1), (2, 1), (3, 0), (4, 1), (5, 1)],
        [(0, 1), (1, 1), (2, 1), (3, 1), (6, 0)],
        [(0, 1), (1, 1), (2, 1), (3, 1), (6, 1), (7, 0)],
        [(0, 1), (1, 1), (2, 1), (3, 1), (6, 1), (7, 1), (8, 0)],
        [(0, 1), (1, 1), (2, 1), (3, 1), (6, 1), (7, 1), (8, 1)],
    ];

    public static (byte Place, byte Bit)[] Path(int mode) => paths[mode];
}
