namespace Halftone.Codec.Jpeg;

/// <summary>AC coefficients that one Huffman table codes.</summary>
/// <param name="First">Index in zigzag order, 1 to 63.</param>
/// <param name="Last">Index in zigzag order.</param>
/// <param name="Rates">What the symbols cost.</param>
internal sealed record Band(int First, int Last, SymbolRates Rates);
