using System.Buffers.Binary;

namespace Halftone.Codec.Colour;

/// <summary>Reads as much of an ICC profile (ICC.1:2022) as it takes to tell whether it says sRGB in other words.</summary>
internal static class IccProfile
{
    private const int HeaderBytes = 128, TagBytes = 12;

    // The sRGB primaries adapted to D50, as every sRGB profile has them (XYZ).
    private static readonly (string Tag, double X, double Y, double Z)[] SrgbColorants =
    [
        ("rXYZ", 0.4361, 0.2225, 0.0139),
        ("gXYZ", 0.3851, 0.7169, 0.0971),
        ("bXYZ", 0.1431, 0.0606, 0.7139),
    ];

    /// <summary>
    /// Whether pixels look the same without the profile: sRGB's primaries and tone curve, or grey with that curve.
    /// False for anything else and for bytes that are no profile.
    /// </summary>
    public static bool IsSrgb(ReadOnlySpan<byte> profile)
    {
        if (!IsProfile(profile))
        {
            return false;
        }

        var space = profile.Slice(16, 4);
        if (space.SequenceEqual("GRAY"u8))
        {
            return HasSrgbCurve(profile, "kTRC");
        }

        // With a table for colours (A2B0) the primaries do not decide.
        if (!space.SequenceEqual("RGB "u8) || Tag(profile, "A2B0").Length > 0)
        {
            return false;
        }

        foreach (var (tag, x, y, z) in SrgbColorants)
        {
            var colorant = Tag(profile, tag);
            if (colorant.Length < 20
                || !Near(Fixed(colorant[8..]), x)
                || !Near(Fixed(colorant[12..]), y)
                || !Near(Fixed(colorant[16..]), z))
            {
                return false;
            }
        }

        return HasSrgbCurve(profile, "rTRC") && HasSrgbCurve(profile, "gTRC") && HasSrgbCurve(profile, "bTRC");
    }

    /// <summary>Whether the bytes are a profile at all, as far as its header says.</summary>
    public static bool IsProfile(ReadOnlySpan<byte> profile) =>
        profile.Length >= HeaderBytes + 4 && profile.Slice(36, 4).SequenceEqual("acsp"u8);

    /// <summary>Whether a profile is of red, green and blue.</summary>
    public static bool IsRgb(ReadOnlySpan<byte> profile) => IsProfile(profile) && profile.Slice(16, 4).SequenceEqual("RGB "u8);

    /// <summary>Whether a profile is of grey.</summary>
    public static bool IsGrey(ReadOnlySpan<byte> profile) => IsProfile(profile) && profile.Slice(16, 4).SequenceEqual("GRAY"u8);

    public static bool IsCmyk(ReadOnlySpan<byte> profile) => IsProfile(profile) && profile.Slice(16, 4).SequenceEqual("CMYK"u8);

    /// <summary>
    /// Whether 8 bits a sample are enough in these colours: the curve is near a power of 2, as eyes see. In linear light the darks would
    /// get bands.
    /// False where the profile has no plain curve.
    /// </summary>
    public static bool FitsEightBits(ReadOnlySpan<byte> profile)
    {
        var curve = IsRgb(profile) ? Tag(profile, "gTRC") : IsGrey(profile) ? Tag(profile, "kTRC") : default;
        return curve.Length >= 12 && Evaluate(curve, 0.5) is > 0.14 and < 0.33 && Evaluate(curve, 0.1) is > 0.001 and < 0.035;
    }

    private static ReadOnlySpan<byte> Tag(ReadOnlySpan<byte> profile, string name)
    {
        var count = BinaryPrimitives.ReadUInt32BigEndian(profile[HeaderBytes..]);
        Span<byte> signature = [(byte)name[0], (byte)name[1], (byte)name[2], (byte)name[3]];
        for (var i = 0; i < Math.Min(count, 100); i++)
        {
            var at = HeaderBytes + 4 + i * TagBytes;
            if (at + TagBytes > profile.Length)
            {
                break;
            }

            if (profile.Slice(at, 4).SequenceEqual(signature))
            {
                long start = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 4)..]);
                long length = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 8)..]);
                return start + length <= profile.Length ? profile.Slice((int)start, (int)length) : default;
            }
        }

        return default;
    }

    private static bool HasSrgbCurve(ReadOnlySpan<byte> profile, string tag)
    {
        var curve = Tag(profile, tag);
        // A gamma of 2.2 is off by 0.0036 in the middle, so 0.003 tells it from sRGB.
        return curve.Length >= 12 && Near(Evaluate(curve, 0.1), 0.0100) && Near(Evaluate(curve, 0.25), 0.0509)
            && Near(Evaluate(curve, 0.5), 0.2140) && Near(Evaluate(curve, 0.75), 0.5225);
    }

    /// <summary>A tone curve (sections 10.6 and 10.18) at <paramref name="x"/>, 0 to 1; not a number where it is of neither kind.</summary>
    private static double Evaluate(ReadOnlySpan<byte> curve, double x)
    {
        if (curve.StartsWith("curv"u8))
        {
            var count = BinaryPrimitives.ReadUInt32BigEndian(curve[8..]);
            return count switch
            {
                0 => x,
                1 => curve.Length >= 14 ? Math.Pow(x, BinaryPrimitives.ReadUInt16BigEndian(curve[12..]) / 256.0) : double.NaN,
                _ => 12 + 2L * count <= curve.Length ? Interpolate(curve.Slice(12, 2 * (int)count), x) : double.NaN,
            };
        }

        if (!curve.StartsWith("para"u8))
        {
            return double.NaN;
        }

        var kind = BinaryPrimitives.ReadUInt16BigEndian(curve[8..]);
        if (kind == 0 && curve.Length >= 16)
        {
            return Math.Pow(x, Fixed(curve[12..]));
        }

        // Kind 3 is the one sRGB is written with.
        if (kind != 3 || curve.Length < 32)
        {
            return double.NaN;
        }

        double g = Fixed(curve[12..]), a = Fixed(curve[16..]), b = Fixed(curve[20..]), c = Fixed(curve[24..]), d = Fixed(curve[28..]);
        return x >= d ? Math.Pow(a * x + b, g) : c * x;
    }

    private static double Interpolate(ReadOnlySpan<byte> table, double x)
    {
        var position = x * (table.Length / 2 - 1);
        var left = (int)position;
        double low = BinaryPrimitives.ReadUInt16BigEndian(table[(2 * left)..]);
        double high = BinaryPrimitives.ReadUInt16BigEndian(table[(2 * left + 2)..]);
        return (low + (high - low) * (position - left)) / 65535;
    }

    private static double Fixed(ReadOnlySpan<byte> s15Fixed16) => BinaryPrimitives.ReadInt32BigEndian(s15Fixed16) / 65536.0;

    private static bool Near(double value, double expected) => Math.Abs(value - expected) <= 0.003;
}
