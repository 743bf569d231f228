using System.Buffers.Binary;
using System.IO.Compression;

namespace Halftone.Codec.Png;

/// <summary>
/// Writes a non-interlaced palette PNG (colour type 3) row by row; section numbers are those of the W3C PNG specification, third edition.
/// Rows are not filtered: 12.7 advises so for palette images, and on the pictures measured no filter was smaller.
/// </summary>
internal sealed class PngWriter : IDisposable
{
    private static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private readonly MemoryStream _file = new();
    private readonly ZLibStream _zlib;
    private readonly byte[] _rows;   // several packed rows, so that the compressor is called less often
    private readonly int _width, _height, _depth, _rowBytes;
    private int _filled, _written;
    private readonly int _dataStart;

    /// <summary>Writes everything up to the pixels.</summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="palette">1 to 256 straight colours, those with alpha first.</param>
    /// <param name="iccProfile">An RGB profile for an iCCP chunk (11.3.2.3), or empty.</param>
    /// <param name="deflateLevel">1 to 9.</param>
    public PngWriter(int width, int height, ReadOnlySpan<uint> palette, ReadOnlySpan<byte> iccProfile, int deflateLevel)
    {
        _width = width;
        _height = height;
        _depth = Depth(palette.Length);
        _rowBytes = 1 + (int)(((long)width * _depth + 7) / 8);
        _rows = new byte[Math.Max(1, 32768 / _rowBytes) * _rowBytes];
        _file.Write(Signature);
        WriteHeader();
        WriteProfile(iccProfile);
        WritePalette(palette);
        _dataStart = (int)_file.Position;
        _file.Write("\0\0\0\0IDAT"u8); // the length is known at the end
        _zlib = new ZLibStream(_file, new ZLibCompressionOptions { CompressionLevel = deflateLevel }, leaveOpen: true);
    }

    /// <summary>Bits of an index: the fewest that reach all entries (11.2.1).</summary>
    public static int Depth(int colours) => colours switch { <= 2 => 1, <= 4 => 2, <= 16 => 4, _ => 8 };

    /// <summary>Writes the next row.</summary>
    /// <param name="indices">One palette index a pixel.</param>
    public void WriteRow(ReadOnlySpan<byte> indices)
    {
        if (indices.Length != _width || _written == _height)
        {
            throw new InvalidOperationException("Not a row of this image");
        }

        _rows[_filled] = 0; // filter type None (9.2)
        Pack(indices, _depth, _rows.AsSpan(_filled + 1, _rowBytes - 1));
        _filled += _rowBytes;
        _written++;
        if (_filled == _rows.Length)
        {
            Flush();
        }
    }

    /// <summary>Ends the file after its last row.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        if (_written != _height)
        {
            throw new InvalidOperationException($"{_written} of {_height} rows were written");
        }

        Flush();
        _zlib.Dispose();
        var chunk = _file.GetBuffer().AsSpan(_dataStart, (int)_file.Position - _dataStart);
        BinaryPrimitives.WriteInt32BigEndian(chunk, chunk.Length - 8);
        WriteUInt32(Crc32.Of(chunk[4..], default));
        WriteChunk("IEND"u8, default);
        return _file.GetBuffer().AsMemory(0, (int)_file.Position);
    }

    /// <summary>Gives the compressor back.</summary>
    public void Dispose() => _zlib.Dispose();

    /// <summary>Indices into bytes, leftmost pixel in the high bits (7.2).</summary>
    internal static void Pack(ReadOnlySpan<byte> indices, int depth, Span<byte> to)
    {
        if (depth == 8)
        {
            indices.CopyTo(to);
            return;
        }

        int perByte = 8 / depth, whole = indices.Length / perByte;
        for (int i = 0; i < whole; i++)
        {
            to[i] = PackByte(indices.Slice(i * perByte, perByte), depth);
        }

        if (whole < to.Length)
        {
            var rest = indices[(whole * perByte)..];
            to[whole] = (byte)(PackByte(rest, depth) << (perByte - rest.Length) * depth);
        }
    }

    private static byte PackByte(ReadOnlySpan<byte> indices, int depth)
    {
        int packed = 0;
        foreach (byte index in indices)
        {
            packed = packed << depth | index;
        }

        return (byte)packed;
    }

    private void Flush()
    {
        _zlib.Write(_rows, 0, _filled);
        _filled = 0;
    }

    private void WriteHeader()
    {
        Span<byte> header = stackalloc byte[13];
        header.Clear(); // compression, filter method and interlace method stay 0
        BinaryPrimitives.WriteInt32BigEndian(header, _width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], _height);
        header[8] = (byte)_depth;
        header[9] = 3;
        WriteChunk("IHDR"u8, header);
    }

    private void WriteProfile(ReadOnlySpan<byte> profile)
    {
        if (profile.IsEmpty)
        {
            return;
        }

        using var content = new MemoryStream();
        content.Write("icc\0\0"u8); // a name, its end, compression method 0
        using (var zlib = new ZLibStream(content, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(profile);
        }

        WriteChunk("iCCP"u8, content.GetBuffer().AsSpan(0, (int)content.Length));
    }

    private void WritePalette(ReadOnlySpan<uint> palette)
    {
        Span<byte> colours = stackalloc byte[palette.Length * 3];
        Span<byte> alphas = stackalloc byte[palette.Length];
        int translucent = 0;
        for (int i = 0; i < palette.Length; i++)
        {
            uint colour = palette[i];
            colours[3 * i] = (byte)colour;
            colours[3 * i + 1] = (byte)(colour >> 8);
            colours[3 * i + 2] = (byte)(colour >> 16);
            alphas[i] = (byte)(colour >> 24);
            translucent = colour < PackedColour.Opaque ? i + 1 : translucent;
        }

        WriteChunk("PLTE"u8, colours);
        if (translucent > 0)
        {
            WriteChunk("tRNS"u8, alphas[..translucent]);
        }
    }

    private void WriteChunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        WriteUInt32((uint)content.Length);
        _file.Write(type);
        _file.Write(content);
        WriteUInt32(Crc32.Of(type, content));
    }

    private void WriteUInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _file.Write(bytes);
    }
}
