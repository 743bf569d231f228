using System.Runtime.InteropServices;
using Halftone.Codec.Colour;
using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>
/// Brings a picture that is brighter than white to sRGB. Diffuse white, 203 cd/m² (ITU-R BT.2408), stays just below white, and what is
/// brighter is
/// bent into the room above: by the brightest of the three colours, so that hues stay.
/// </summary>
internal static class ToneMap
{
    /// <summary>cd/m²; the second is the peak of the screen that HLG is shown on (ITU-R BT.2100, table 5).</summary>
    private const double DiffuseWhite = 203, HlgPeak = 1000, HlgGamma = 1.2;

    /// <summary>Up to here light is left as it is; 1 is diffuse white.</summary>
    private const double Knee = 0.8;

    private const int EncodedSteps = 4096, StripRows = 64;

    private static readonly byte[] Encoded = [.. Enumerable.Range(0, EncodedSteps + 1).Select(step => Encode((double)step / EncodedSteps))];

    public static void Apply(VipsPipeline pipeline, CodingColours coding)
    {
        var image = pipeline.Image;
        var isWide = image.Format == Enums.BandFormat.Ushort;
        var light = Light(coding.IsHlg, isWide ? 65536 : 256);
        var matrix = MadeProfile.ToLinearSrgb(NumberedColours.Primaries(coding.Primaries))!;
        int bands = image.Bands, colours = bands < 3 ? 1 : 3, outBands = colours + (bands == colours ? 0 : 1);
        var output = new byte[checked(image.Width * image.Height * outBands)];
        using var region = Region.New(image);
        var at = 0;
        for (var y = 0; y < image.Height; y += StripRows)
        {
            var rows = Math.Min(StripRows, image.Height - y);
            var strip = region.Fetch(0, y, image.Width, rows);
            var samples = isWide ? MemoryMarshal.Cast<byte, ushort>(strip) : default;
            for (var pixel = 0; pixel < image.Width * rows; pixel++, at += outBands)
            {
                var first = pixel * bands;
                if (colours == 3)
                {
                    Map(light[Sample(first)], light[Sample(first + 1)], light[Sample(first + 2)], matrix, output.AsSpan(at, 3));
                }
                else
                {
                    output[at] = Encoded[Step(Bend(light[Sample(first)]))];
                }

                if (outBands > colours)
                {
                    output[at + colours] = (byte)(isWide ? Sample(first + colours) >> 8 : Sample(first + colours));
                }

                int Sample(int index) => isWide ? MemoryMarshal.Cast<byte, ushort>(strip)[index] : strip[index];
            }
        }

        pipeline.Replace(Image.FromPixels(output, image.Width, image.Height, outBands));
    }

    private static void Map(double red, double green, double blue, double[,] matrix, Span<byte> rgb)
    {
        var r = matrix[0, 0] * red + matrix[0, 1] * green + matrix[0, 2] * blue;
        var g = matrix[1, 0] * red + matrix[1, 1] * green + matrix[1, 2] * blue;
        var b = matrix[2, 0] * red + matrix[2, 1] * green + matrix[2, 2] * blue;
        var most = Math.Max(r, Math.Max(g, b));
        var scale = most > Knee ? Bend(most) / most : 1;
        (rgb[0], rgb[1], rgb[2]) = (Encoded[Step(r * scale)], Encoded[Step(g * scale)], Encoded[Step(b * scale)]);
    }

    private static double Bend(double light) => light <= Knee ? light : Knee + (1 - Knee) * (1 - Math.Exp(-(light - Knee) / (1 - Knee)));

    private static int Step(double light) => (int)Math.Clamp(light * EncodedSteps + 0.5, 0, EncodedSteps);

    /// <summary>What each code of the file means in light, 1 for diffuse white.</summary>
    private static double[] Light(bool isHlg, int codes)
    {
        var light = new double[codes];
        for (var i = 0; i < codes; i++)
        {
            var signal = (double)i / (codes - 1);
            light[i] = (isHlg ? HlgPeak * Math.Pow(HlgScene(signal), HlgGamma) : Pq(signal)) / DiffuseWhite;
        }

        return light;
    }

    /// <summary>SMPTE ST 2084 in cd/m² (ITU-R BT.2100, table 4).</summary>
    private static double Pq(double signal)
    {
        const double M1 = 2610.0 / 16384, M2 = 2523.0 / 4096 * 128, C1 = 3424.0 / 4096, C2 = 2413.0 / 4096 * 32, C3 = 2392.0 / 4096 * 32;
        var power = Math.Pow(signal, 1 / M2);
        return 10_000 * Math.Pow(Math.Max(power - C1, 0) / (C2 - C3 * power), 1 / M1);
    }

    /// <summary>Light of the scene, 0 to 1 (ITU-R BT.2100, table 5).</summary>
    private static double HlgScene(double signal)
    {
        const double A = 0.17883277, B = 0.28466892, C = 0.55991073;
        return signal <= 0.5 ? signal * signal / 3 : (Math.Exp((signal - C) / A) + B) / 12;
    }

    private static byte Encode(double light) =>
        (byte)Math.Round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * Math.Pow(light, 1 / 2.4) - 0.055));
}
