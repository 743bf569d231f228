using Halftone.Codec.Jpeg;
using Halftone.Codec.Png;

namespace Halftone.Codec.Bare;

/// <summary>
/// Only the chunks of a PNG that change what is seen stay (PNG, third edition, section 11), and of its EXIF the orientation.
/// </summary>
internal static class BarePng
{
    public static byte[]? Write(ReadOnlySpan<byte> source, ReadOnlySpan<byte> xmp)
    {
        var output = new ByteList(source.Length + xmp.Length + 64);
        var chunks = new PngChunks(source);
        if (source.Length < chunks.End)
        {
            return null;
        }

        output.Add(source[..chunks.End]);
        while (chunks.Next())
        {
            if (chunks.Name.SequenceEqual("eXIf"u8))
            {
                KeepOrientation(chunks.Body, output);
            }
            else if (Stays(chunks.Name))
            {
                output.Add(chunks.Whole);
            }
            else if ((chunks.Name[0] & 0x20) == 0)
            {
                return null; // a capital letter: nothing can be shown without it
            }

            if (chunks.Name.SequenceEqual("IHDR"u8) && xmp.Length > 0)
            {
                // Keyword; not compressed; no language and no translated keyword (11.3.3.4).
                WriteChunk(output, "iTXt"u8, [.. "XML:com.adobe.xmp\0\0\0\0\0"u8, .. xmp]);
            }

            if (chunks.Name.SequenceEqual("IEND"u8))
            {
                return output.ToArray();
            }
        }

        return null;
    }

    public static void WriteChunk(ByteList output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> body)
    {
        output.AddUInt32((uint)body.Length);
        output.Add(name);
        output.Add(body);
        output.AddUInt32(Crc32.Of(name, body));
    }

    private static void KeepOrientation(ReadOnlySpan<byte> tiff, ByteList output)
    {
        if (ExifOrientation.ReadTiff(tiff) is > 1 and var orientation)
        {
            WriteChunk(output, "eXIf"u8, ExifOrientation.WriteTiff(orientation));
        }
    }

    private static bool Stays(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("IHDR"u8) || name.SequenceEqual("PLTE"u8) || name.SequenceEqual("IDAT"u8) || name.SequenceEqual("tRNS"u8)
        || name.SequenceEqual("gAMA"u8) || name.SequenceEqual("cHRM"u8) || name.SequenceEqual("sRGB"u8) || name.SequenceEqual("iCCP"u8)
        || name.SequenceEqual("cICP"u8) || name.SequenceEqual("mDCV"u8) || name.SequenceEqual("cLLI"u8) || name.SequenceEqual("sBIT"u8)
        || name.SequenceEqual("bKGD"u8) || name.SequenceEqual("pHYs"u8) || name.SequenceEqual("acTL"u8) || name.SequenceEqual("fcTL"u8)
        || name.SequenceEqual("fdAT"u8) || name.SequenceEqual("IEND"u8);
}
