using System.Buffers.Binary;
using System.Text;

namespace Halftone.Codec.Tests.Images;

/// <summary>ICC profiles of three primaries and a power curve, written by hand (ICC.1:2022, version 2 layout).</summary>
internal static class MatrixProfile
{
    // Adobe RGB (1998), section 4.3.1: colorants adapted to D50, gamma 2.19921875
    private static readonly double[] AdobeColorants = [0.60974, 0.31111, 0.01947, 0.20528, 0.62567, 0.06087, 0.14919, 0.06322, 0.74457];

    /// <param name="paddingBytes">Bytes of a private tag, to make the profile as large as those of printers.</param>
    public static byte[] AdobeRgb(int paddingBytes = 0)
    {
        var tags = new List<(string Name, byte[] Body)>
        {
            ("desc", [.. "desc\0\0\0\0"u8, 0, 0, 0, 6, .. "Adobe\0"u8, .. new byte[80]]),
            ("cprt", [.. "text\0\0\0\0"u8, .. "none\0"u8]),
            ("wtpt", Xyz(0.9642, 1, 0.8249)),
            ("rXYZ", Xyz(AdobeColorants[0], AdobeColorants[1], AdobeColorants[2])),
            ("gXYZ", Xyz(AdobeColorants[3], AdobeColorants[4], AdobeColorants[5])),
            ("bXYZ", Xyz(AdobeColorants[6], AdobeColorants[7], AdobeColorants[8])),
        };
        foreach (var curve in (string[])["rTRC", "gTRC", "bTRC"])
        {
            tags.Add((curve, [.. "curv\0\0\0\0"u8, 0, 0, 0, 1, 2, 51])); // 2 + 51/256
        }

        if (paddingBytes > 0)
        {
            tags.Add(("none", [.. "data\0\0\0\0"u8, .. new byte[paddingBytes]]));
        }

        var bodies = new MemoryStream();
        var table = new MemoryStream();
        Write(table, tags.Count);
        var start = 128 + 4 + 12 * tags.Count;
        foreach (var (name, body) in tags)
        {
            table.Write(Encoding.ASCII.GetBytes(name));
            Write(table, start + (int)bodies.Length);
            Write(table, body.Length);
            bodies.Write(body);
            bodies.Write(new byte[(4 - body.Length % 4) % 4]);
        }

        var header = new byte[128];
        BinaryPrimitives.WriteInt32BigEndian(header, start + (int)bodies.Length);
        header[8] = 2;
        header[9] = 0x40;
        "mntrRGB XYZ "u8.CopyTo(header.AsSpan(12));
        (header[25], header[27], header[29]) = (200, 1, 1);
        "acsp"u8.CopyTo(header.AsSpan(36));
        Xyz(0.9642, 1, 0.8249).AsSpan(8).CopyTo(header.AsSpan(68));
        return [.. header, .. table.ToArray(), .. bodies.ToArray()];
    }

    private static byte[] Xyz(double x, double y, double z)
    {
        var body = new byte[20];
        "XYZ "u8.CopyTo(body);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(8), (int)Math.Round(x * 65536));
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(12), (int)Math.Round(y * 65536));
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(16), (int)Math.Round(z * 65536));
        return body;
    }

    private static void Write(MemoryStream stream, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        stream.Write(bytes);
    }
}
