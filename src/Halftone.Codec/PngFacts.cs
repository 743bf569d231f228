using System.Buffers.Binary;

namespace Halftone.Codec;

/// <summary>What the chunks in front of a PNG's picture data say (PNG, third edition, sections 11.2 and 11.3).</summary>
internal sealed class PngFacts
{
    private PngFacts() { }

    public int Width { get; private set; }

    public int Height { get; private set; }

    public int BitDepth { get; private set; }

    /// <summary>0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.</summary>
    public int ColourType { get; private set; }

    public bool IsInterlaced { get; private set; }

    /// <summary>Frames of the animation; 0 where it is none.</summary>
    public int Frames { get; private set; }

    /// <summary>How often the animation plays; 0 for ever.</summary>
    public int Plays { get; private set; }

    /// <summary>The picture that readers without animation show is the animation's first frame.</summary>
    public bool FirstFrameIsPicture { get; private set; }

    /// <summary>Colours by ITU-T H.273 (cICP), which outrank all else; null without.</summary>
    public CodingColours? Coding { get; private set; }

    public bool HasProfile { get; private set; }

    public bool SaysSrgb { get; private set; }

    /// <summary>gAMA, 0.45455 for the usual 2.2; null without.</summary>
    public double? Gamma { get; private set; }

    /// <summary>cHRM: x and y of white, red, green and blue; null without.</summary>
    public double[]? Chromaticities { get; private set; }

    /// <summary>Null where the header is broken.</summary>
    public static PngFacts? Read(ReadOnlySpan<byte> source)
    {
        var chunks = new PngChunks(source);
        if (!chunks.Next() || !chunks.Name.SequenceEqual("IHDR"u8) || chunks.Body.Length != 13)
        {
            return null;
        }

        var header = chunks.Body;
        var facts = new PngFacts
        {
            Width = BinaryPrimitives.ReadInt32BigEndian(header),
            Height = BinaryPrimitives.ReadInt32BigEndian(header[4..]),
            BitDepth = header[8],
            ColourType = header[9],
            IsInterlaced = header[12] != 0,
        };
        if (facts is { Width: <= 0 } or { Height: <= 0 })
        {
            return null;
        }

        while (chunks.Next() && !chunks.Name.SequenceEqual("IDAT"u8))
        {
            facts.Take(chunks.Name, chunks.Body);
        }

        return facts;
    }

    private void Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> body)
    {
        if (name.SequenceEqual("acTL"u8) && body.Length == 8)
        {
            // None is an animation that was never made.
            Frames = (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(body));
            Plays = (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
        }
        else if (name.SequenceEqual("fcTL"u8))
        {
            FirstFrameIsPicture = true;
        }
        else if (name.SequenceEqual("cICP"u8) && body.Length == 4)
        {
            Coding = new CodingColours(body[0], body[1], body[2], body[3] != 0);
        }
        else if (name.SequenceEqual("iCCP"u8))
        {
            HasProfile = true;
        }
        else if (name.SequenceEqual("sRGB"u8))
        {
            SaysSrgb = true;
        }
        else if (name.SequenceEqual("gAMA"u8)
            && body.Length == 4
            && BinaryPrimitives.ReadUInt32BigEndian(body) is > 0 and < 10_000_000 and var gamma)
        {
            Gamma = gamma / 100_000.0;
        }
        else if (name.SequenceEqual("cHRM"u8) && body.Length == 32)
        {
            Chromaticities = new double[8];
            for (var i = 0; i < Chromaticities.Length; i++)
            {
                Chromaticities[i] = BinaryPrimitives.ReadUInt32BigEndian(body[(4 * i)..]) / 100_000.0;
            }
        }
    }
}
