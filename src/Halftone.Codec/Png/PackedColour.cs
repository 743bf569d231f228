using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// The space all errors are measured in. It has four dimensions: red, green and blue as they look over mid grey, and alpha times √3/2.
/// Squared distance in it is the mean of the squared RGB distances over black and over white: with m = a·c + (1 − a)/2 the colour over
/// black is m − (1 − a)/2 and over white m + (1 − a)/2, whose squared differences average to Δm² + Δa²/4 in each of three channels.
/// So half-transparent and invisible pixels need no rules of their own. Green then weighs more than red, and red more than blue, as in any
/// luma: the scales below are square roots of weights found by measuring.
/// </summary>
/// <remarks>A working colour is packed like a straight one, its top byte is alpha itself, 0 to 255. Opaque colours are the same in both.</remarks>
internal static class PackedColour
{
    /// <summary>Alpha 255 of a packed colour; a packed colour is opaque when it is not below this.</summary>
    public const uint Opaque = 0xFF000000u;

    /// <summary>What one 8-bit step of red, green, blue (weights 1, 1.5, 0.7) and alpha (3/4, see above) is in coordinates.</summary>
    public const float RedScale = 1, GreenScale = 1.2247449f, BlueScale = 0.8366600f, AlphaScale = 0.8660254f;

    /// <summary>A fully transparent pixel in working form, whatever colour it hides.</summary>
    public const uint Invisible = 0x00808080u;

    /// <summary>Straight to working: c·a + 128·(255 − a), divided by 255 and rounded.</summary>
    public static uint ToWorking(uint straight)
    {
        uint alpha = straight >> 24;
        if (alpha == 255)
        {
            return straight;
        }
        uint grey = 128 * (255 - alpha) + 127;
        return ((straight & 255) * alpha + grey) / 255
            | ((straight >> 8 & 255) * alpha + grey) / 255 << 8
            | ((straight >> 16 & 255) * alpha + grey) / 255 << 16
            | alpha << 24;
    }

    /// <summary>The same for a row; returns whether a pixel of it was not opaque.</summary>
    /// <param name="straight">Packed straight colours.</param>
    /// <param name="working">As long as <paramref name="straight"/>; must not overlap it.</param>
    public static bool ToWorking(ReadOnlySpan<uint> straight, Span<uint> working)
    {
        int x = 0;
        var seen = Vector128<uint>.AllBitsSet;
        var opaque = Vector128.Create(Opaque);
        for (; x + 4 <= straight.Length; x += 4)
        {
            var four = Vector128.Create(straight[x..]);
            seen &= four;
            if (Vector128.EqualsAll(four & opaque, opaque))
            {
                four.CopyTo(working[x..]);
            }
            else
            {
                OverGrey(four).CopyTo(working[x..]);
            }
        }
        bool transparent = !Vector128.EqualsAll(seen & opaque, opaque);
        for (; x < straight.Length; x++)
        {
            working[x] = ToWorking(straight[x]);
            transparent |= straight[x] < Opaque;
        }
        return transparent;
    }

    /// <summary>A working colour in coordinates: the elements are red, green, blue, alpha, each times its scale.</summary>
    public static Vector128<float> Coordinates(uint working) =>
        Vector128.Create(working & 255, working >> 8 & 255, working >> 16 & 255, (float)(working >> 24)) * Scales;

    /// <summary>The scales as one vector.</summary>
    public static Vector128<float> Scales => Vector128.Create(RedScale, GreenScale, BlueScale, AlphaScale);

    /// <summary>From coordinates to the nearest straight 8-bit colour, which is what a file holds.</summary>
    public static uint ToStraight(Vector128<float> coordinates)
    {
        var working = coordinates / Scales;
        float alpha = MathF.Round(Math.Clamp(working[3], 0, 255));
        if (alpha <= 0)
        {
            return 0;
        }
        float grey = 128 * (255 - alpha), scale = 1 / alpha;
        return Channel(working[0]) | Channel(working[1]) << 8 | Channel(working[2]) << 16 | (uint)alpha << 24;

        uint Channel(float over) => (uint)MathF.Round(Math.Clamp((over * 255 - grey) * scale, 0, 255));
    }

    /// <summary>A rough luma, to sort a palette by.</summary>
    public static uint Luma(uint colour) => (colour & 255) * 2 + (colour >> 8 & 255) * 5 + (colour >> 16 & 255);

    /// <summary>
    /// Four pixels at once in 16-bit lanes: the sum stays below 65,536, and (s + 1 + (s >> 8)) >> 8 is s / 255 for every s below 65,535
    /// (the usual division by 255 without a division). Tested against the plain form for every colour value and alpha.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> OverGrey(Vector128<uint> four)
    {
        var (low, high) = Vector128.Widen(four.AsByte());
        return Vector128.Narrow(OverGrey(low), OverGrey(high)).AsUInt32() & Vector128.Create(0x00FFFFFFu) | four & Vector128.Create(Opaque);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> OverGrey(Vector128<ushort> two)
    {
        var alpha = Vector128.Shuffle(two, Vector128.Create((ushort)3, 3, 3, 3, 7, 7, 7, 7));
        var sum = two * alpha + (Vector128.Create((ushort)255) - alpha) * Vector128.Create((ushort)128) + Vector128.Create((ushort)127);
        return sum + Vector128<ushort>.One + (sum >> 8) >> 8;
    }
}
