namespace Halftone.Codec.Jpeg;

/// <summary>Turns coefficient planes into the symbols of an output.</summary>
internal interface IPlaneEncoder
{
    /// <summary>Encodes rows of output MCUs; null when all is well.</summary>
    /// <param name="planes">Luma and chroma; their first row of blocks belongs to output row <paramref name="planeRow"/>.</param>
    /// <param name="firstRow">First row of output MCUs, counted in the image.</param>
    JpegTranscodeResult? EncodeRows(CoefficientPlane[] planes, int planeRow, int firstRow, int rows);

    /// <summary>After the last row; null when all is well.</summary>
    JpegTranscodeResult? End();
}
