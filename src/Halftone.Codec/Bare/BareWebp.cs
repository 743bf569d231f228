using System.Buffers.Binary;

namespace Halftone.Codec.Bare;

/// <summary>Of the chunks of a WebP (RFC 9649) the picture, its alpha, its frames and its colour profile stay.</summary>
internal static class BareWebp
{
    private const int RiffBytes = 12, ChunkBytes = 8, FrameHeaderBytes = 16, CanvasBytes = 10;
    private const byte HasExif = 0x08, HasXmp = 0x04, HasAlpha = 0x10;

    public static byte[]? Write(ReadOnlySpan<byte> source, ReadOnlySpan<byte> xmp)
    {
        if (source.Length < RiffBytes)
        {
            return null;
        }

        var riff =
            source[RiffBytes..(int)Math.Min(
                source.Length, Math.Max(RiffBytes, ChunkBytes + (long)BinaryPrimitives.ReadUInt32LittleEndian(source[4..])))];
        var output = new ByteList(source.Length + xmp.Length + 64);
        output.Add(source[..RiffBytes]);
        var orientation = Orientation(riff);
        var chunks = new RiffChunks(riff);
        var pictures = 0;
        var isExtended = false;
        while (chunks.Next())
        {
            if (chunks.Name.SequenceEqual("VP8X"u8) && chunks.Body.Length == CanvasBytes && !isExtended)
            {
                isExtended = true;
                AddCanvas(output, (byte)(chunks.Body[0] & ~(HasExif | HasXmp)), chunks.Body[1..], orientation, xmp);
            }
            else if (IsPicture(chunks.Name))
            {
                if (!isExtended && xmp.Length > 0)
                {
                    if (Canvas(chunks.Name, chunks.Body) is not { } canvas)
                    {
                        return null;
                    }

                    isExtended = true;
                    AddCanvas(output, canvas[0], canvas.AsSpan(1), orientation, xmp);
                }

                pictures++;
                AddChunk(output, chunks.Name, chunks.Body);
            }
            else if (chunks.Name.SequenceEqual("ANMF"u8))
            {
                if (!AddFrame(output, chunks.Body))
                {
                    return null;
                }

                pictures++;
            }
            else if (chunks.Name.SequenceEqual("ALPH"u8) || chunks.Name.SequenceEqual("ANIM"u8) || chunks.Name.SequenceEqual("ICCP"u8))
            {
                AddChunk(output, chunks.Name, chunks.Body);
            }
        }

        if (pictures == 0 || !chunks.AtEnd)
        {
            return null;
        }

        if (isExtended && orientation > 1)
        {
            AddChunk(output, "EXIF"u8, Jpeg.ExifOrientation.WriteTiff(orientation));
        }

        if (isExtended && xmp.Length > 0)
        {
            AddChunk(output, "XMP "u8, xmp);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(output.Written[4..], (uint)(output.Length - ChunkBytes));
        return output.ToArray();
    }

    /// <summary>Width and height of the canvas; zeros where the file says none.</summary>
    public static (int Width, int Height) Size(ReadOnlySpan<byte> source)
    {
        var chunks = new RiffChunks(source.Length > RiffBytes ? source[RiffBytes..] : default);
        while (chunks.Next())
        {
            var canvas = chunks.Name.SequenceEqual("VP8X"u8) && chunks.Body.Length == CanvasBytes
                ? chunks.Body
                : IsPicture(chunks.Name) ? Canvas(chunks.Name, chunks.Body) : default;
            if (canvas.Length == CanvasBytes)
            {
                return (1 + canvas[4] + (canvas[5] << 8) + (canvas[6] << 16), 1 + canvas[7] + (canvas[8] << 8) + (canvas[9] << 16));
            }
        }

        return default;
    }

    private static bool IsPicture(ReadOnlySpan<byte> name) => name.SequenceEqual("VP8 "u8) || name.SequenceEqual("VP8L"u8);

    private static int Orientation(ReadOnlySpan<byte> riff)
    {
        var chunks = new RiffChunks(riff);
        while (chunks.Next())
        {
            if (chunks.Name.SequenceEqual("EXIF"u8))
            {
                return Jpeg.ExifOrientation.ReadTiff(chunks.Body);
            }
        }

        return 1;
    }

    private static void AddCanvas(ByteList output, byte flags, ReadOnlySpan<byte> rest, int orientation, ReadOnlySpan<byte> xmp)
    {
        var all = (byte)(flags | (orientation > 1 ? HasExif : 0) | (xmp.Length > 0 ? HasXmp : 0));
        AddChunk(output, "VP8X"u8, [all, .. rest]);
    }

    /// <summary>What a VP8X chunk says of a file that has none: alpha, then width and height less one in 24 bits.</summary>
    private static byte[]? Canvas(ReadOnlySpan<byte> name, ReadOnlySpan<byte> body)
    {
        int width, height;
        byte flags = 0;
        if (name.SequenceEqual("VP8L"u8) && body is [0x2F, ..] && body.Length >= 5)
        {
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(body[1..]);
            (width, height) = ((int)(bits & 0x3FFF), (int)(bits >> 14 & 0x3FFF));
            flags = (bits >> 28 & 1) != 0 ? HasAlpha : (byte)0;
        }
        else if (name.SequenceEqual("VP8 "u8) && body.Length >= 10 && body[3..].StartsWith((ReadOnlySpan<byte>)[0x9D, 0x01, 0x2A]))
        {
            width = (BinaryPrimitives.ReadUInt16LittleEndian(body[6..]) & 0x3FFF) - 1;
            height = (BinaryPrimitives.ReadUInt16LittleEndian(body[8..]) & 0x3FFF) - 1;
        }
        else
        {
            return null;
        }

        return [flags, 0, 0, 0, (byte)width, (byte)(width >> 8), 0, (byte)height, (byte)(height >> 8), 0];
    }

    /// <summary>A frame may hold chunks of any kind beside its picture.</summary>
    private static bool AddFrame(ByteList output, ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameHeaderBytes)
        {
            return false;
        }

        var body = new ByteList(frame.Length);
        body.Add(frame[..FrameHeaderBytes]);
        var chunks = new RiffChunks(frame[FrameHeaderBytes..]);
        while (chunks.Next())
        {
            if (IsPicture(chunks.Name) || chunks.Name.SequenceEqual("ALPH"u8))
            {
                AddChunk(body, chunks.Name, chunks.Body);
            }
        }

        AddChunk(output, "ANMF"u8, body.Written);
        return chunks.AtEnd;
    }

    private static void AddChunk(ByteList output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> body)
    {
        output.Add(name);
        output.AddUInt32LittleEndian((uint)body.Length);
        output.Add(body);
        if ((body.Length & 1) != 0)
        {
            output.Add([0]);
        }
    }
}
