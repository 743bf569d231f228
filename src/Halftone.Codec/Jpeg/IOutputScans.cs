namespace Halftone.Codec.Jpeg;

/// <summary>The scans of one output while its blocks come in, and the file that they make.</summary>
internal interface IOutputScans
{
    /// <summary>
    /// The blocks of each component come row by row; else in the order of interleaved MCUs, blocks without pixels among them.
    /// </summary>
    bool IsProgressive { get; }

    /// <summary>Forgets the last image.</summary>
    void Begin(int components);

    /// <summary>In the order of their coefficients, all of 1 to 63.</summary>
    ReadOnlySpan<Band> Bands(int component);

    /// <summary>The image may have no more memory: what was added last is lost.</summary>
    bool IsFull { get; }

    /// <summary>Takes a block's chosen levels.</summary>
    void Add(int component, BlockLevels block);

    /// <summary>Takes a block of luma that only fills up its MCU: it repeats the DC before it, which costs least.</summary>
    void Pad();

    /// <summary>Takes the symbols so far as what symbols will cost.</summary>
    void UpdateRates();

    /// <summary>All blocks are there. False where one has a value that 8-bit images cannot have.</summary>
    bool End();

    /// <summary>Builds the Huffman tables; returns the length of all entropy-coded data in bits.</summary>
    long Prepare();

    /// <summary>Appends the frame and all that follows, the end of the image included.</summary>
    void Write(OutputBuffer output, JpegWriter writer, JpegFrame frame, OutputLayout layout, Requantizer[] requantizers);
}
