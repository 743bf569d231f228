using System.Buffers.Binary;
using Halftone.Codec;
using Halftone.Codec.Jpeg;
using Halftone.Compress.Sandbox;

namespace Halftone.Compress;

/// <summary>
/// The format of a child's pipes: a header of fixed length, little endian, followed by the bytes of an image. Both ends
/// are the same program, so there are no versions.
/// </summary>
/// <param name="Request">What is wanted.</param>
/// <param name="BodyBytes">Number of bytes that follow.</param>
/// <param name="CpuSeconds">Processor time that the image may take, 1 to 65,535.</param>
internal readonly record struct RequestFrame(CodecRequest Request, int BodyBytes, int CpuSeconds)
{
    public const int Length = 32;

    public void Write(Span<byte> header)
    {
        BinaryPrimitives.WriteInt32LittleEndian(header, BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Request.Q);
        header[8] = (byte)(Request.Format ?? 0);
        header[9] = Request.KeepsRights ? (byte)1 : (byte)0;
        header[10] = (byte)Request.Jpeg;
        header[12] = (byte)Request.WebpEffort;
        header[13] = (byte)Request.AvifEffort;
        BinaryPrimitives.WriteUInt16LittleEndian(header[14..], (ushort)CpuSeconds);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Request.MaxPixels);
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], Request.MaxWidth ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(header[28..], Request.MaxHeight ?? 0);
    }

    public static RequestFrame Read(ReadOnlySpan<byte> header)
    {
        int maxWidth = BinaryPrimitives.ReadInt32LittleEndian(
            header[24..]), maxHeight = BinaryPrimitives.ReadInt32LittleEndian(header[28..]);
        return new(
            new CodecRequest
            {
                Q = BinaryPrimitives.ReadInt32LittleEndian(header[4..]),
                Format = header[8] == 0 ? null : (ImageFormat)header[8],
                KeepsRights = header[9] != 0,
                Jpeg = (JpegStyle)header[10],
                WebpEffort = header[12],
                AvifEffort = header[13],
                MaxPixels = BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
                MaxWidth = maxWidth == 0 ? null : maxWidth,
                MaxHeight = maxHeight == 0 ? null : maxHeight,
            },
            BinaryPrimitives.ReadInt32LittleEndian(header),
            BinaryPrimitives.ReadUInt16LittleEndian(header[14..]));
    }
}

internal enum AnswerKind
{
    /// <summary>The first answer of a child, before any image: it is warmed up.</summary>
    Ready = 1,
    /// <summary>The body is the output image.</summary>
    Compressed = 2,
    /// <summary>No body: the output is the source.</summary>
    KeptSource = 3,
    /// <summary>The body is the detail in UTF-8.</summary>
    Refused = 4,
    /// <summary>The body is the picture of the source, bit for bit, without its metadata.</summary>
    KeptPicture = 5,
}

/// <param name="Kind">The meaning of the body.</param>
/// <param name="BodyBytes">Number of bytes that follow.</param>
/// <param name="Code">
/// An <see cref="ImageFormat"/>, a <see cref="CodecError"/> if refused, or the <see cref="SandboxParts"/> that a ready child lacks.
/// </param>
/// <param name="Way">The way in which the output was made; 0 if there is none.</param>
/// <param name="NotTaken">Why a JPEG was fully re-encoded; 0 if it was not.</param>
/// <param name="ResidentBytes">The child's memory after this image.</param>
internal readonly record struct AnswerFrame(
    AnswerKind Kind, int BodyBytes, int Code, int WidthPixels, int HeightPixels, CodecWay Way, JpegNotTaken NotTaken, long ResidentBytes)
{
    public const int Length = 32;

    public void Write(Span<byte> header)
    {
        BinaryPrimitives.WriteInt32LittleEndian(header, (int)Kind);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Code);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], WidthPixels);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], HeightPixels);
        header[20] = (byte)Way;
        header[21] = (byte)NotTaken;
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], ResidentBytes);
    }

    public CodecResult.Compressed ToResult(ReadOnlyMemory<byte> body, bool keptOriginal) =>
        new(body, (ImageFormat)Code, WidthPixels, HeightPixels, keptOriginal) { Way = Way, NotTaken = NotTaken == 0 ? null : NotTaken };

    public static AnswerFrame Read(ReadOnlySpan<byte> header) => new(
        (AnswerKind)BinaryPrimitives.ReadInt32LittleEndian(header),
        BinaryPrimitives.ReadInt32LittleEndian(header[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(header[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(header[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(header[16..]),
        (CodecWay)header[20],
        (JpegNotTaken)header[21],
        BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
}
