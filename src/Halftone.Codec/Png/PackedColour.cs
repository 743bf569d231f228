using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Halftone.Codec.Png;

/// <summary>
/// The space all errors are measured in. It has four dimensions: luma and the two colour differences of the colour as
/// it looks over mid grey (ITU-R BT.601), and alpha, each with a scale. With m = a·c + (1 − a)/2 the colour over black
/// is m − (1 − a)/2 and over white m + (1 − a)/2; the difference of two pixels over these is Δm ± Δa/2, where Δa is
/// grey. So with alpha scaled by half of luma, squared distance here is the mean of the squared distances over black
/// and over white, and translucent pixels need no rules of their own. Only fully opaque and fully transparent ones are
/// held apart.
/// </summary>
/// <remarks>
/// A working colour is the 8-bit form: packed as a straight one, over mid grey, its top byte alpha itself. Opaque colours are the same in
/// both. The scales were found by measuring: beside weights for red, green and blue they save a tenth of a photograph's bytes at equal luma
/// error, and butteraugli is no worse.
/// </remarks>
internal static class PackedColour
{
    /// <summary>Alpha 255 of a packed colour; a packed colour is opaque when it is not below this.</summary>
    public const uint Opaque = 0xFF000000u;

    /// <summary>What one 8-bit step of luma, of blue less luma, of red less luma and of alpha is in coordinates.</summary>
    public const float LumaScale = 1.8f, BlueScale = 0.65f, RedScale = 0.95f, AlphaScale = LumaScale / 2;

    /// <summary>
    /// Opaque and invisible pixels stand this many steps of alpha off from the others, so that no palette entry is a mean of both: what is
    /// opaque stays opaque, and nothing shows where nothing was.
    /// </summary>
    private const float Apart = 64;

    private const float RedInLuma = 0.299f, GreenInLuma = 0.587f, BlueInLuma = 0.114f;

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

    /// <summary>A working colour in coordinates.</summary>
    public static Vector128<float> Coordinates(uint working) =>
        Coordinates(working & 255, working >> 8 & 255, working >> 16 & 255, working >> 24);

    /// <summary>A colour over mid grey, in 8-bit steps and parts of them, in coordinates.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Coordinates(float red, float green, float blue, float alpha)
    {
        float luma = RedInLuma * red + GreenInLuma * green + BlueInLuma * blue;
        float apart = alpha >= 255 ? Apart : alpha <= 0 ? -Apart : 0;
        return Vector128.Create(
            luma,
            blue - luma,
            red - luma,
            alpha + apart) * Vector128.Create(LumaScale, BlueScale, RedScale, AlphaScale);
    }

    /// <summary>From coordinates to the nearest straight 8-bit colour, which is what a file holds. Grey stays grey.</summary>
    public static uint ToStraight(Vector128<float> coordinates)
    {
        var steps = coordinates / Vector128.Create(LumaScale, BlueScale, RedScale, AlphaScale);
        float luma = steps[0], blue = luma + steps[1], red = luma + steps[2];
        float green = (luma - RedInLuma * red - BlueInLuma * blue) / GreenInLuma;
        if (Math.Abs(steps[1]) < 0.01f && Math.Abs(steps[2]) < 0.01f)
        {
            red = green = blue = luma; // or a luma near one half would round up in one channel and down in another
        }

        float alpha = MathF.Round(Math.Clamp(steps[3], 0, 255));
        if (alpha <= 0)
        {
            return 0;
        }

        float grey = 128 * (255 - alpha), scale = 1 / alpha;
        return Channel(red) | Channel(green) << 8 | Channel(blue) << 16 | (uint)alpha << 24;

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
