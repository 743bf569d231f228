using System.Buffers.Binary;
using System.IO.Compression;
using Halftone.Codec.Bare;
using Halftone.Codec.Png;

namespace Halftone.Codec;

/// <summary>One frame of an animated PNG (PNG, third edition, 11.3.6).</summary>
/// <param name="X">Left edge on the canvas.</param>
/// <param name="Y">Top edge.</param>
/// <param name="DelayMilliseconds">Until the next frame.</param>
/// <param name="Disposal">0 leave, 1 clear the frame's rectangle, 2 put back what was before.</param>
/// <param name="IsBlended">Painted over what is there by its alpha, else instead of it.</param>
/// <param name="Png">The frame as a PNG of its own, in the colours of the file.</param>
internal sealed record PngFrame(int Width, int Height, int X, int Y, int DelayMilliseconds, int Disposal, bool IsBlended, byte[] Png);

/// <summary>Takes an animated PNG apart, and puts its frames together.</summary>
internal static class PngAnimation
{
    private const int ControlBytes = 26, SequenceBytes = 4;

    /// <summary>The frames; null where the animation is not whole or breaks a rule.</summary>
    /// <param name="source">The file.</param>
    /// <param name="facts">Of its header.</param>
    /// <param name="canPaint">False makes no PNG of each frame, and looks only at whether all are whole.</param>
    public static List<PngFrame>? Read(ReadOnlySpan<byte> source, PngFacts facts, bool canPaint = true)
    {
        var shared = new ByteList(1024); // chunks that count for every frame
        var frames = new List<PngFrame>();
        var data = new ByteList(1024);
        byte[]? control = null;
        uint sequence = 0;
        var isPicture = false;
        var chunks = new PngChunks(source);
        while (chunks.Next())
        {
            var name = chunks.Name;
            if (!name.SequenceEqual("IHDR"u8) && BinaryPrimitives.ReadUInt32BigEndian(chunks.Whole[^4..]) != Crc32.Of(name, chunks.Body))
            {
                return null;
            }

            if (name.SequenceEqual("PLTE"u8) || name.SequenceEqual("tRNS"u8))
            {
                shared.Add(chunks.Whole);
            }
            else if (name.SequenceEqual("fcTL"u8))
            {
                if (chunks.Body.Length != ControlBytes
                    || BinaryPrimitives.ReadUInt32BigEndian(chunks.Body) != sequence++
                    || !End(ref control, data))
                {
                    return null;
                }

                control = chunks.Body.ToArray();
            }
            else if (name.SequenceEqual("IDAT"u8))
            {
                isPicture = true;
                if (control is not null && frames.Count == 0)
                {
                    data.Add(chunks.Body);
                }
            }
            else if (name.SequenceEqual("fdAT"u8))
            {
                if (control is null
                    || !isPicture
                    || chunks.Body.Length < SequenceBytes
                    || BinaryPrimitives.ReadUInt32BigEndian(chunks.Body) != sequence++)
                {
                    return null;
                }

                data.Add(chunks.Body[SequenceBytes..]);
            }
            else if (name.SequenceEqual("IEND"u8))
            {
                return End(ref control, data) && frames.Count == facts.Frames ? frames : null;
            }
        }

        return null;

        bool End(ref byte[]? ended, ByteList frameData)
        {
            if (ended is null)
            {
                return true;
            }

            var frame = Frame(ended, facts, shared.Written, frameData.Written, canPaint);
            frameData.Clear();
            ended = null;
            if (frame is not null)
            {
                frames.Add(frame);
            }

            return frame is not null && frames.Count <= facts.Frames;
        }
    }

    private static PngFrame? Frame(
        ReadOnlySpan<byte> control, PngFacts facts, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> data, bool canPaint)
    {
        long width = BinaryPrimitives.ReadUInt32BigEndian(control[4..]), height = BinaryPrimitives.ReadUInt32BigEndian(control[8..]);
        long x = BinaryPrimitives.ReadUInt32BigEndian(control[12..]), y = BinaryPrimitives.ReadUInt32BigEndian(control[16..]);
        if (width == 0 || height == 0 || x + width > facts.Width || y + height > facts.Height || control[24] > 2 || control[25] > 1
            || !IsWhole(data, RawBytes(facts, (int)width, (int)height)))
        {
            return null;
        }

        int above = BinaryPrimitives.ReadUInt16BigEndian(control[20..]), below = BinaryPrimitives.ReadUInt16BigEndian(control[22..]);
        var delay = (int)Math.Round(1000.0 * above / (below == 0 ? 100 : below), MidpointRounding.AwayFromZero);
        return new PngFrame(
            (int)width,
            (int)height,
            (int)x,
            (int)y,
            delay,
            control[24],
            control[25] == 1,
            canPaint ? AsPng(facts, (int)width, (int)height, shared, data) : []);
    }

    private static byte[] AsPng(PngFacts facts, int width, int height, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> data)
    {
        var png = new ByteList(shared.Length + data.Length + 100);
        png.Add([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)facts.BitDepth, (byte)facts.ColourType, facts.IsInterlaced ? (byte)1 : (byte)0);
        BarePng.WriteChunk(png, "IHDR"u8, header);
        png.Add(shared);
        BarePng.WriteChunk(png, "IDAT"u8, data);
        BarePng.WriteChunk(png, "IEND"u8, default);
        return png.ToArray();
    }

    /// <summary>Bytes of the picture's rows, each with its filter in front; of the seven passes where it is interlaced (8.1).</summary>
    private static long RawBytes(PngFacts facts, int width, int height)
    {
        long bits = facts.BitDepth * facts.ColourType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        if (!facts.IsInterlaced)
        {
            return Pass(width, height);
        }

        ReadOnlySpan<(int X, int Y, int StepX, int StepY)> passes =
        [
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
        ];
        long bytes = 0;
        foreach (var (x, y, stepX, stepY) in passes)
        {
            bytes += Pass((width - x + stepX - 1) / stepX, (height - y + stepY - 1) / stepY);
        }

        return bytes;

        long Pass(int columns, int rows) => columns <= 0 || rows <= 0 ? 0 : rows * (1 + (columns * bits + 7) / 8);
    }

    private static bool IsWhole(ReadOnlySpan<byte> zlib, long bytes)
    {
        using var input = new MemoryStream(zlib.ToArray());
        using var inflate = new ZLibStream(input, CompressionMode.Decompress);
        Span<byte> buffer = stackalloc byte[16 << 10];
        try
        {
            int length;
            while (bytes > 0 && (length = inflate.Read(buffer)) > 0)
            {
                bytes -= length;
            }
        }
        catch (InvalidDataException)
        {
            return false;
        }

        return bytes <= 0;
    }

    /// <summary>Paints a frame on the canvas.</summary>
    /// <param name="canvas">Straight RGBA, all of it.</param>
    /// <param name="canvasWidth">Pixels.</param>
    /// <param name="frame">Where and how.</param>
    /// <param name="pixels">The frame's straight RGBA.</param>
    public static void Paint(Span<byte> canvas, int canvasWidth, PngFrame frame, ReadOnlySpan<byte> pixels)
    {
        for (var row = 0; row < frame.Height; row++)
        {
            var from = pixels.Slice(row * frame.Width * 4, frame.Width * 4);
            var to = canvas.Slice(((frame.Y + row) * canvasWidth + frame.X) * 4, frame.Width * 4);
            if (!frame.IsBlended)
            {
                from.CopyTo(to);
                continue;
            }

            for (var at = 0; at < from.Length; at += 4)
            {
                Blend(from.Slice(at, 4), to.Slice(at, 4));
            }
        }
    }

    /// <summary>Clears a frame's rectangle.</summary>
    public static void Clear(Span<byte> canvas, int canvasWidth, PngFrame frame)
    {
        for (var row = 0; row < frame.Height; row++)
        {
            canvas.Slice(((frame.Y + row) * canvasWidth + frame.X) * 4, frame.Width * 4).Clear();
        }
    }

    /// <summary>Source over destination with straight alpha (13.16).</summary>
    private static void Blend(ReadOnlySpan<byte> from, Span<byte> to)
    {
        if (from[3] == 0)
        {
            return;
        }

        if (from[3] == 255 || to[3] == 0)
        {
            from.CopyTo(to);
            return;
        }

        int above = from[3] * 255, below = (255 - from[3]) * to[3], alpha = above + below;
        for (var i = 0; i < 3; i++)
        {
            to[i] = (byte)((from[i] * above + to[i] * below + alpha / 2) / alpha);
        }

        to[3] = (byte)((alpha + 127) / 255);
    }
}
