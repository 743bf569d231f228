namespace Halftone.Results;

/// <summary>The outcome of one image, for the files written from it.</summary>
/// <param name="Line">The 1-based line on which its row starts, so that a result cannot move to another row unnoticed.</param>
/// <param name="OutputUrl">URL of the output image; null if there is none.</param>
/// <param name="Error">Why there is none, as a code such as <c>http_404</c>; null if there is one, or if the image was not tried.</param>
/// <param name="VariantUrls">URLs of its variants, one for each requested and in that order; null if there are none.</param>
internal readonly record struct ImageOutcome(long Line, string? OutputUrl, string? Error, IReadOnlyList<string?>? VariantUrls = null);
