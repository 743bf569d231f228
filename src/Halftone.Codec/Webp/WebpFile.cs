using System.Buffers.Binary;
using Halftone.Codec.Jpeg;

namespace Halftone.Codec.Webp;

/// <summary>Why a WebP file is left to libvips.</summary>
internal enum WebpNotTaken
{
    /// <summary>VP8L.</summary>
    Lossless = 1,
    Animated,
    /// <summary>EXIF says that the pixels are to be turned.</summary>
    Turned,
    /// <summary>A colour profile that must be applied.</summary>
    LargeProfile,
    /// <summary>Chunks that contradict each other, come twice, are cut, or end before the file does.</summary>
    UnusualContainer,
    /// <summary>Not a key frame, broken, or cut.</summary>
    BrokenFrame,
    /// <summary>Alpha that is broken or cut.</summary>
    BrokenAlpha,
    TooManyPixels,
    /// <summary>Larger than was asked for: shrinking needs pixels.</summary>
    Shrinks,
    /// <summary>The modes of so many macroblocks do not fit into the first partition, whose size has 19 bits.</summary>
    ModesTooLong,
}

/// <summary>
/// A still, lossy WebP file (RFC 9649): where its frame, alpha and profile are. Whatever is unusual is not taken: libvips judges it then,
/// so every
/// refusal is its word.
/// </summary>
internal readonly ref struct WebpFile
{
    private const int HeaderBytes = 12, ChunkHeaderBytes = 8, ExtendedBytes = 10;
    private const byte AnimationFlag = 0x02, ExifFlag = 0x08, AlphaFlag = 0x10, ProfileFlag = 0x20, KnownFlags = 0x3E;

    private WebpFile(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> alpha, ReadOnlySpan<byte> profile)
    {
        Frame = frame;
        Alpha = alpha;
        Profile = profile;
    }

    /// <summary>The VP8 bitstream.</summary>
    public ReadOnlySpan<byte> Frame { get; }

    /// <summary>The ALPH chunk's content; empty without one.</summary>
    public ReadOnlySpan<byte> Alpha { get; }

    /// <summary>The colour profile; empty without one.</summary>
    public ReadOnlySpan<byte> Profile { get; }

    /// <summary>Finds the chunks; what is wrong, or null.</summary>
    public static WebpNotTaken? Read(ReadOnlySpan<byte> source, out WebpFile file)
    {
        file = default;
        if (source.Length < HeaderBytes + ChunkHeaderBytes || !source.StartsWith("RIFF"u8) || !source[8..].StartsWith("WEBP"u8))
        {
            return WebpNotTaken.UnusualContainer;
        }

        var end = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) + 8L;
        if (end > source.Length || end < HeaderBytes + ChunkHeaderBytes)
        {
            return WebpNotTaken.UnusualContainer;
        }

        var chunks = new Chunks(source[HeaderBytes..(int)end]);
        if (!chunks.Next())
        {
            return WebpNotTaken.UnusualContainer;
        }

        if (chunks.Name.SequenceEqual("VP8 "u8))
        {
            file = new WebpFile(chunks.Body, default, default);
            return chunks.AtEnd ? null : WebpNotTaken.UnusualContainer;
        }

        return chunks.Name.SequenceEqual("VP8L"u8) ? WebpNotTaken.Lossless
            : chunks.Name.SequenceEqual("VP8X"u8) && chunks.Body.Length == ExtendedBytes ? ReadExtended(chunks, out file)
            : WebpNotTaken.UnusualContainer;
    }

    /// <summary>A file of one frame, with what else it needs.</summary>
    public static byte[] Write(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> alpha, ReadOnlySpan<byte> profile, int width, int height)
    {
        var isExtended = alpha.Length > 0 || profile.Length > 0;
        var length = HeaderBytes + Padded(frame) + (isExtended ? ChunkHeaderBytes + ExtendedBytes : 0) + Padded(alpha) + Padded(profile);
        var file = new byte[length];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), length - 8);
        "WEBP"u8.CopyTo(file.AsSpan(8));
        var rest = file.AsSpan(HeaderBytes);
        if (isExtended)
        {
            Span<byte> extended = stackalloc byte[ExtendedBytes];
            extended.Clear();
            extended[0] = (byte)((alpha.Length > 0 ? AlphaFlag : 0) | (profile.Length > 0 ? ProfileFlag : 0));
            WriteSide(width, extended[4..]);
            WriteSide(height, extended[7..]);
            rest = Append(rest, "VP8X"u8, extended);
        }

        rest = Append(rest, "ICCP"u8, profile);
        rest = Append(rest, "ALPH"u8, alpha);
        Append(rest, "VP8 "u8, frame);
        return file;

        static int Padded(ReadOnlySpan<byte> body) => body.Length == 0 ? 0 : ChunkHeaderBytes + body.Length + (body.Length & 1);
    }

    private static WebpNotTaken? ReadExtended(Chunks chunks, out WebpFile file)
    {
        file = default;
        var extended = chunks.Body;
        ReadOnlySpan<byte> frame = default, alpha = default, profile = default, exif = default;
        if ((extended[0] & ~KnownFlags) != 0)
        {
            return WebpNotTaken.UnusualContainer;
        }

        if ((extended[0] & AnimationFlag) != 0)
        {
            return WebpNotTaken.Animated;
        }

        while (chunks.Next())
        {
            var name = chunks.Name;
            if (name.SequenceEqual("VP8L"u8) || name.SequenceEqual("ANIM"u8) || name.SequenceEqual("ANMF"u8))
            {
                return name.SequenceEqual("VP8L"u8) ? WebpNotTaken.Lossless : WebpNotTaken.Animated;
            }

            var isNew = name.SequenceEqual("VP8 "u8) ? Take(chunks.Body, ref frame)
                : name.SequenceEqual("ALPH"u8) ? frame.IsEmpty && Take(chunks.Body, ref alpha)
                : name.SequenceEqual("ICCP"u8) ? frame.IsEmpty && Take(chunks.Body, ref profile)
                : !name.SequenceEqual("EXIF"u8) || Take(chunks.Body, ref exif);
            if (!isNew)
            {
                return WebpNotTaken.UnusualContainer;
            }
        }

        if (!chunks.AtEnd || frame.IsEmpty || Says(extended, AlphaFlag) == alpha.IsEmpty || Says(extended, ProfileFlag) == profile.IsEmpty
            || Says(extended, ExifFlag) == exif.IsEmpty || !HasSize(frame, extended))
        {
            return WebpNotTaken.UnusualContainer;
        }

        file = new WebpFile(frame, alpha, profile);
        return OrientationOf(exif) == 1 ? null : WebpNotTaken.Turned;
    }

    private static bool Says(ReadOnlySpan<byte> extended, byte flag) => (extended[0] & flag) != 0;

    private static bool Take(ReadOnlySpan<byte> body, ref ReadOnlySpan<byte> target)
    {
        var isNew = target.IsEmpty && !body.IsEmpty;
        target = body;
        return isNew;
    }

    /// <summary>The canvas is as large as the frame.</summary>
    private static bool HasSize(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> extended)
    {
        var header = new Vp8Header();
        return header.ReadSize(frame) && ReadSide(extended[4..]) == header.WidthPixels && ReadSide(extended[7..]) == header.HeightPixels;
    }

    private static int ReadSide(ReadOnlySpan<byte> bytes) => 1 + (bytes[0] | bytes[1] << 8 | bytes[2] << 16);

    private static void WriteSide(int side, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(side - 1));
        bytes[2] = (byte)((side - 1) >> 16);
    }

    /// <summary>With or without the prefix that it has in a JPEG.</summary>
    private static int OrientationOf(ReadOnlySpan<byte> exif) =>
        exif.IsEmpty ? 1 : ExifOrientation.Read(exif.StartsWith(ExifOrientation.Prefix) ? exif : [.. ExifOrientation.Prefix, .. exif]);

    private static Span<byte> Append(Span<byte> rest, scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return rest;
        }

        name.CopyTo(rest);
        BinaryPrimitives.WriteInt32LittleEndian(rest[4..], body.Length);
        body.CopyTo(rest[ChunkHeaderBytes..]);
        return rest[(ChunkHeaderBytes + body.Length + (body.Length & 1))..];
    }

    /// <summary>Walks the chunks of a file.</summary>
    private ref struct Chunks(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> rest = bytes;

        /// <summary>Four letters.</summary>
        public ReadOnlySpan<byte> Name { get; private set; }

        public ReadOnlySpan<byte> Body { get; private set; }

        /// <summary>Nothing is left, not even part of a chunk.</summary>
        public readonly bool AtEnd => rest.IsEmpty;

        public bool Next()
        {
            if (rest.Length < ChunkHeaderBytes)
            {
                return false;
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length > rest.Length - ChunkHeaderBytes)
            {
                return false;
            }

            Name = rest[..4];
            Body = rest.Slice(ChunkHeaderBytes, (int)length);
            rest = rest[Math.Min(rest.Length, ChunkHeaderBytes + (int)length + (int)(length & 1))..];
            return true;
        }
    }
}
