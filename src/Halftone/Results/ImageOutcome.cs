namespace Halftone.Results;

/// <summary>What became of one image, for the files that are written from it.</summary>
/// <param name="Line">The 1-based line on which its row begins: a result cannot slip to another row unnoticed.</param>
/// <param name="OutputUrl">Where the output image is; null where there is none.</param>
/// <param name="Error">Why there is none, as a code such as <c>http_404</c>; null where there is one, or where the image was not tried.</param>
/// <param name="VariantUrls">Where its variants are, one for each that was asked for and in that order; null where there are none.</param>
internal readonly record struct ImageOutcome(long Line, string? OutputUrl, string? Error, IReadOnlyList<string?>? VariantUrls = null);
