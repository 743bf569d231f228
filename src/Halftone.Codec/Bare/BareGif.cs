namespace Halftone.Codec.Bare;

/// <summary>Of a GIF (GIF89a) its frames, their timing and the loop count stay; comments, plain text and all other extensions go.</summary>
internal static class BareGif
{
    private const byte Extension = 0x21, Image = 0x2C, Trailer = 0x3B;
    private const byte GraphicControl = 0xF9, PlainText = 0x01, Application = 0xFF;
    private const int HeaderBytes = 13, ImageBytes = 10;

    public static byte[]? Write(ReadOnlySpan<byte> source, ReadOnlySpan<byte> xmp)
    {
        if (source.Length < HeaderBytes)
        {
            return null;
        }

        var output = new ByteList(source.Length + xmp.Length + 512);
        var at = HeaderBytes + ColourTableBytes(source[10]);
        if (at > source.Length)
        {
            return null;
        }

        output.Add(source[..at]);
        Range control = default;
        while (at < source.Length)
        {
            var start = at;
            switch (source[at])
            {
                case Trailer:
                    AddXmp(output, xmp);
                    output.Add([Trailer]);
                    return output.ToArray();
                case Image when at + ImageBytes < source.Length:
                    at = AfterBlocks(source, at + ImageBytes + ColourTableBytes(source[at + 9]) + 1);
                    if (at > source.Length)
                    {
                        return null;
                    }

                    output.Add(source[control]);
                    output.Add(source[start..at]);
                    control = default;
                    break;
                case Extension when at + 2 < source.Length:
                    var label = source[at + 1];
                    at = AfterBlocks(source, at + 2);
                    if (at > source.Length)
                    {
                        return null;
                    }

                    if (label == GraphicControl)
                    {
                        control = start..at; // of the picture, or of the text, that follows
                    }
                    else if (label == PlainText)
                    {
                        control = default;
                    }
                    else if (label == Application && IsLoop(source[start..at]))
                    {
                        output.Add(source[start..at]);
                    }

                    break;
                default:
                    return null;
            }
        }

        // Without its last byte it is whole for everybody.
        AddXmp(output, xmp);
        output.Add([Trailer]);
        return output.ToArray();
    }

    private static bool IsLoop(ReadOnlySpan<byte> extension) =>
        extension is [_, _, 11, ..] && (extension[3..].StartsWith("NETSCAPE2.0"u8) || extension[3..].StartsWith("ANIMEXTS1.0"u8));

    /// <summary>
    /// As XMP's own specification puts it (part 3, section 1.1.2): not in blocks, but with an end that reads as such from whichever byte it
    /// is entered.
    /// </summary>
    private static void AddXmp(ByteList output, ReadOnlySpan<byte> xmp)
    {
        if (xmp.IsEmpty)
        {
            return;
        }

        output.Add([Extension, Application, 11, .. "XMP DataXMP"u8]);
        output.Add(xmp);
        output.Add([1]);
        for (var i = 0xFF; i >= 0; i--)
        {
            output.Add([(byte)i]);
        }

        output.Add([0]);
    }

    private static int ColourTableBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    /// <summary>Index after a row of blocks, each with its length in front, ended by an empty one; behind the end of a cut file.</summary>
    private static int AfterBlocks(ReadOnlySpan<byte> source, int at)
    {
        while (at < source.Length && source[at] != 0)
        {
            at += 1 + source[at];
        }

        return at + 1;
    }
}
