using System.Buffers.Binary;
using Halftone.Codec.Bare;

namespace Halftone.Codec.Colour;

/// <summary>Makes an ICC profile (ICC.1:2022) of primaries and a curve, for what a file says about its colours in other words.</summary>
internal static class MadeProfile
{
    private const int HeaderBytes = 128;

    private static readonly double[] D50 = [0.9642, 1, 0.8249];

    /// <summary>Bradford's matrix, which every maker of profiles adapts white by (annex E).</summary>
    private static readonly double[,] Bradford = { { 0.8951, 0.2664, -0.1614 }, { -0.7502, 1.7135, 0.0367 }, { 0.0389, -0.0685, 1.0296 } };

    /// <summary>A profile of red, green and blue.</summary>
    /// <param name="xy">x and y of white, red, green and blue.</param>
    /// <param name="gamma">Exponent, or <see cref="NumberedColours.SrgbGamma"/>.</param>
    /// <returns>Null where the primaries span no triangle.</returns>
    public static byte[]? Rgb(ReadOnlySpan<double> xy, double gamma)
    {
        double[] white = Xyz(xy[0], xy[1]), red = Xyz(xy[2], xy[3]), green = Xyz(xy[4], xy[5]), blue = Xyz(xy[6], xy[7]);
        double[,] primaries = { { red[0], green[0], blue[0] }, { red[1], green[1], blue[1] }, { red[2], green[2], blue[2] } };
        if (Inverse(primaries) is not { } inverse || Inverse(Bradford) is not { } back)
        {
            return null;
        }

        var amounts = Times(inverse, white);
        double[] from = Times(Bradford, white), to = Times(Bradford, D50);
        var columns = new double[3][];
        for (var i = 0; i < 3; i++)
        {
            double[] colour = [primaries[0, i] * amounts[i], primaries[1, i] * amounts[i], primaries[2, i] * amounts[i]];
            var cone = Times(Bradford, colour);
            columns[i] = Times(back, [cone[0] * to[0] / from[0], cone[1] * to[1] / from[1], cone[2] * to[2] / from[2]]);
            if (!Array.TrueForAll(columns[i], value => double.IsFinite(value) && Math.Abs(value) < 100))
            {
                return null;
            }
        }

        var curve = Curve(gamma);
        return Profile(
            "RGB ",
            [
                ("wtpt", XyzTag(D50)), ("rXYZ", XyzTag(columns[0])), ("gXYZ", XyzTag(columns[1])), ("bXYZ", XyzTag(columns[2])),
                ("rTRC", curve), ("gTRC", curve), ("bTRC", curve),
            ]);
    }

    /// <summary>A profile of grey.</summary>
    /// <param name="gamma">Exponent, or <see cref="NumberedColours.SrgbGamma"/>.</param>
    public static byte[] Grey(double gamma) => Profile("GRAY", [("wtpt", XyzTag(D50)), ("kTRC", Curve(gamma))]);

    private static byte[] Profile(string space, (string Name, byte[] Body)[] tags)
    {
        (string Name, byte[] Body)[] all = [("desc", Text("Halftone")), ("cprt", Text("CC0")), .. tags];
        var profile = new ByteList(1024);
        profile.AddUInt32(0);
        profile.AddUInt32(0);
        profile.AddUInt32(0x04300000); // version 4.3
        profile.Add("mntr"u8);
        profile.Add([.. space.Select(letter => (byte)letter)]);
        profile.Add("XYZ "u8);
        profile.Add(new byte[12]);
        profile.Add("acsp"u8);
        profile.Add(new byte[28]);
        foreach (var value in D50)
        {
            profile.AddUInt32(Fixed(value));
        }

        profile.Add(new byte[HeaderBytes - profile.Length]);
        profile.AddUInt32((uint)all.Length);
        var at = HeaderBytes + 4 + 12 * all.Length;
        foreach (var (name, body) in all)
        {
            profile.Add([.. name.Select(letter => (byte)letter)]);
            profile.AddUInt32((uint)at);
            profile.AddUInt32((uint)body.Length);
            at += body.Length;
        }

        foreach (var (_, body) in all)
        {
            profile.Add(body);
        }

        BinaryPrimitives.WriteUInt32BigEndian(profile.Written, (uint)profile.Length);
        return profile.ToArray();
    }

    /// <summary>A parametric curve (10.18): a power, or sRGB's with its straight part.</summary>
    private static byte[] Curve(double gamma)
    {
        var body = new ByteList(32);
        body.Add("para\0\0\0\0"u8);
        double[] values = gamma == NumberedColours.SrgbGamma ? [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] : [gamma];
        body.AddUInt16((ushort)(values.Length == 1 ? 0 : 3));
        body.AddUInt16(0);
        foreach (var value in values)
        {
            body.AddUInt32(Fixed(value));
        }

        return body.ToArray();
    }

    private static byte[] XyzTag(double[] xyz)
    {
        var body = new ByteList(20);
        body.Add("XYZ \0\0\0\0"u8);
        foreach (var value in xyz)
        {
            body.AddUInt32(Fixed(value));
        }

        return body.ToArray();
    }

    /// <summary>One text in English (10.15), filled up to whole words of 4 bytes.</summary>
    private static byte[] Text(string text)
    {
        var body = new ByteList(48);
        body.Add("mluc\0\0\0\0"u8);
        body.AddUInt32(1);
        body.AddUInt32(12);
        body.Add("enUS"u8);
        body.AddUInt32((uint)(2 * text.Length));
        body.AddUInt32(28);
        foreach (var letter in text)
        {
            body.AddUInt16(letter);
        }

        body.Add(new byte[(4 - body.Length % 4) % 4]);
        return body.ToArray();
    }

    private static uint Fixed(double value) => (uint)(int)Math.Round(value * 65536);

    private static double[] Xyz(double x, double y) => y == 0 ? [0, 0, 0] : [x / y, 1, (1 - x - y) / y];

    private static double[] Times(double[,] m, double[] v) =>
        [
            m[0, 0] * v[0] + m[0, 1] * v[1] + m[0, 2] * v[2], m[1, 0] * v[0] + m[1, 1] * v[1] + m[1, 2] * v[2],
            m[2, 0] * v[0] + m[2, 1] * v[1] + m[2, 2] * v[2],
        ];

    private static double[,]? Inverse(double[,] m)
    {
        double Minor(int r0, int r1, int c0, int c1) => m[r0, c0] * m[r1, c1] - m[r0, c1] * m[r1, c0];
        var determinant = m[0, 0] * Minor(1, 2, 1, 2) - m[0, 1] * Minor(1, 2, 0, 2) + m[0, 2] * Minor(1, 2, 0, 1);
        if (Math.Abs(determinant) < 1e-9)
        {
            return null;
        }

        return new[,]
        {
            { Minor(1, 2, 1, 2) / determinant, -Minor(0, 2, 1, 2) / determinant, Minor(0, 1, 1, 2) / determinant },
            { -Minor(1, 2, 0, 2) / determinant, Minor(0, 2, 0, 2) / determinant, -Minor(0, 1, 0, 2) / determinant },
            { Minor(1, 2, 0, 1) / determinant, -Minor(0, 2, 0, 1) / determinant, Minor(0, 1, 0, 1) / determinant },
        };
    }

    /// <summary>
    /// The matrix from linear light of these primaries to linear light of sRGB's, by rows; null where they span no triangle.
    /// </summary>
    public static double[,]? ToLinearSrgb(ReadOnlySpan<double> xy)
    {
        if (Matrix(xy) is not { } from || Matrix(NumberedColours.Primaries(1)) is not { } srgb || Inverse(srgb) is not { } to)
        {
            return null;
        }

        var product = new double[3, 3];
        for (var i = 0; i < 9; i++)
        {
            product[i / 3, i % 3] = to[i / 3, 0] * from[0, i % 3] + to[i / 3, 1] * from[1, i % 3] + to[i / 3, 2] * from[2, i % 3];
        }

        return product;
    }

    /// <summary>Linear light to XYZ, unadapted.</summary>
    private static double[,]? Matrix(ReadOnlySpan<double> xy)
    {
        double[] white = Xyz(xy[0], xy[1]), red = Xyz(xy[2], xy[3]), green = Xyz(xy[4], xy[5]), blue = Xyz(xy[6], xy[7]);
        double[,] m = { { red[0], green[0], blue[0] }, { red[1], green[1], blue[1] }, { red[2], green[2], blue[2] } };
        if (Inverse(m) is not { } inverse)
        {
            return null;
        }

        var amounts = Times(inverse, white);
        for (var i = 0; i < 9; i++)
        {
            m[i / 3, i % 3] *= amounts[i % 3];
        }

        return m;
    }
}
