using System.Runtime.Intrinsics;

namespace Halftone.Codec.Webp;

/// <summary>
/// How one coefficient becomes decisions (RFC 6386, section 13.2): its class along a tree of eleven adaptive probabilities, then bits of
/// fixed
/// probability within the class, then its sign.
/// </summary>
internal static class CoefficientTree
{
    /// <summary>Classes: the magnitudes 0 to 4, six categories of larger ones, and the end of the block.</summary>
    public const int FirstCategory = 5, EndOfBlock = 11, Classes = 12;

    /// <summary>Probabilities of a context, the eleven adaptive ones first, padded with fixed ones that the patterns need.</summary>
    public const int Stride = 16;

    /// <summary>Place, within a context, of the sign's probability and of the one extra bit of the magnitudes 5 and 6.</summary>
    public const int SignAt = 11, FiveOrSixAt = 12;

    /// <summary>Places behind all contexts: the extra bits of all categories, then the sign.</summary>
    public const int ExtraAt = Vp8Tables.Contexts * Stride, LargeSignAt = ExtraAt + 31, Places = ExtraAt + 32;

    /// <summary>Magnitudes above it are impossible.</summary>
    public const int MaxMagnitude = 2047;

    /// <summary>Magnitudes up to it have at most eight decisions, which one vector holds.</summary>
    public const int MaxPattern = 6;

    private static readonly byte[] classes = MakeClasses();
    private static readonly ushort[] fixedCosts = MakeFixedCosts();
    private static readonly byte[][] paths = MakePaths();
    private static readonly Vector128<ushort>[] patterns = new Vector128<ushort>[32];
    private static readonly byte[] patternLengths = MakePatterns();

    /// <summary>Cost of a 0 of each probability, in 1/256 bit; that of a 1 is at 256 less it.</summary>
    public static readonly ushort[] BitCosts = MakeBitCosts();

    /// <summary>Probabilities of the extra bits, by category.</summary>
    private static ReadOnlySpan<byte> Extras =>
        [159, 165, 145, 173, 148, 140, 176, 155, 140, 135, 180, 157, 141, 134, 130, 254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129];

    private static ReadOnlySpan<byte> ExtraStarts => [0, 1, 3, 6, 10, 15];

    private static ReadOnlySpan<byte> ExtraCounts => [1, 2, 3, 4, 5, 11];

    private static ReadOnlySpan<short> CategoryStarts => [5, 7, 11, 19, 35, 67];

    /// <summary>By magnitude.</summary>
    public static ReadOnlySpan<byte> ClassOf => classes;

    /// <summary>By magnitude: extra bits and sign, in 1/256 bit.</summary>
    public static ReadOnlySpan<ushort> FixedCosts => fixedCosts;

    /// <summary>The decisions of a small coefficient.</summary>
    /// <param name="value">At most <see cref="MaxPattern"/> either way.</param>
    /// <param name="afterZero">16 after a zero, where no end can come, otherwise 0.</param>
    /// <param name="length">How many.</param>
    public static Vector128<ushort> Pattern(int value, int afterZero, out int length)
    {
        var at = afterZero + value + 8;
        length = patternLengths[at];
        return patterns[at];
    }

    /// <summary>Decisions of a class: places within a context, each with its bit lowest.</summary>
    public static ReadOnlySpan<byte> Path(int @class, bool afterZero) => paths[(afterZero ? 16 : 0) + @class];

    /// <summary>Writes the decisions of any coefficient; returns how many.</summary>
    public static int Write(int value, bool afterZero, int context, Span<ushort> to)
    {
        int magnitude = Math.Abs(value), @class = classes[magnitude], count = 0;
        foreach (var step in Path(@class, afterZero))
        {
            to[count++] = (ushort)((context * Stride << 1) + step);
        }

        var category = @class - FirstCategory;
        int rest = magnitude - CategoryStarts[category], bits = ExtraCounts[category];
        for (var i = 0; i < bits; i++)
        {
            to[count++] = (ushort)((ExtraAt + ExtraStarts[category] + i) << 1 | (rest >> (bits - 1 - i) & 1));
        }

        to[count++] = (ushort)(LargeSignAt << 1 | (value < 0 ? 1 : 0));
        return count;
    }

    /// <summary>Fills in the probabilities that do not adapt.</summary>
    public static void SetFixed(Span<byte> probabilities)
    {
        for (var context = 0; context < Vp8Tables.Contexts; context++)
        {
            probabilities[context * Stride + SignAt] = 128;
            probabilities[context * Stride + FiveOrSixAt] = Extras[0];
        }

        Extras.CopyTo(probabilities[ExtraAt..]);
        probabilities[LargeSignAt] = 128;
    }

    private static byte[] MakeClasses()
    {
        var table = new byte[MaxMagnitude + 1];
        for (var v = 0; v < table.Length; v++)
        {
            table[v] = (byte)(v <= 4 ? v : v <= 6 ? 5 : v <= 10 ? 6 : v <= 18 ? 7 : v <= 34 ? 8 : v <= 66 ? 9 : 10);
        }

        return table;
    }

    private static ushort[] MakeBitCosts()
    {
        var costs = new ushort[257];
        costs[0] = 2048;
        for (var p = 1; p <= 256; p++)
        {
            costs[p] = (ushort)Math.Round(-Math.Log2(p / 256.0) * 256);
        }

        return costs;
    }

    private static ushort[] MakeFixedCosts()
    {
        var bitCosts = MakeBitCosts();
        var costs = new ushort[MaxMagnitude + 1];
        for (var v = 1; v < costs.Length; v++)
        {
            int cost = 256, category = classes[v] - FirstCategory;
            for (var i = 0; category >= 0 && i < ExtraCounts[category]; i++)
            {
                int probability = Extras[ExtraStarts[category] + i],
                    bit = (v - CategoryStarts[category]) >> (ExtraCounts[category] - 1 - i) & 1;
                cost += bitCosts[bit != 0 ? 256 - probability : probability];
            }

            costs[v] = (ushort)cost;
        }

        return costs;
    }

    private static byte[][] MakePaths()
    {
        var all = new byte[32][];
        for (var i = 0; i < all.Length; i++)
        {
            var isPossible = i % 16 < EndOfBlock || i == EndOfBlock;
            all[i] = isPossible ? [.. Steps(i % 16, afterZero: i >= 16).Select(step => (byte)(step.Place << 1 | step.Bit))] : [];
        }

        return all;
    }

    private static IEnumerable<(int Place, int Bit)> Steps(int @class, bool afterZero)
    {
        if (@class == EndOfBlock)
        {
            return [(0, 0)];
        }

        (int, int)[] start = afterZero ? [] : [(0, 1)];
        var category = @class - 7;
        return [.. start, .. @class switch
        {
            0 => [(1, 0)],
            1 => [(1, 1), (2, 0)],
            2 => [(1, 1), (2, 1), (3, 0), (4, 0)],
            3 or 4 => [(1, 1), (2, 1), (3, 0), (4, 1), (5, @class - 3)],
            5 or 6 => [(1, 1), (2, 1), (3, 1), (6, 0), (7, @class - 5)],
            _ => ((int, int)[])[(1, 1), (2, 1), (3, 1), (6, 1), (8, category >> 1), (9 + (category >> 1), category & 1)],
        }];
    }

    private static byte[] MakePatterns()
    {
        var lengths = new byte[32];
        for (var i = 0; i < 32; i++)
        {
            int value = i % 16 - 8, magnitude = Math.Abs(value);
            if (magnitude > MaxPattern)
            {
                continue;
            }

            List<(int Place, int Bit)> steps = [.. Steps(classes[magnitude], afterZero: i >= 16)];
            if (magnitude >= FirstCategory)
            {
                steps.Add((FiveOrSixAt, magnitude - FirstCategory));
            }

            if (magnitude > 0)
            {
                steps.Add((SignAt, value < 0 ? 1 : 0));
            }

            lengths[i] = (byte)steps.Count;
            for (var k = 0; k < steps.Count; k++)
            {
                patterns[i] = patterns[i].WithElement(k, (ushort)(steps[k].Place << 1 | steps[k].Bit));
            }
        }

        return lengths;
    }
}
