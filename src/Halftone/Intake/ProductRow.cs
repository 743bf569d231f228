namespace Halftone.Intake;

/// <summary>One product: a row of the CSV that is neither the header nor blank.</summary>
/// <param name="Line">The 1-based line on which the row starts.</param>
/// <param name="SerialNumber">Exactly as written (<c>007</c> stays <c>007</c>); empty if the file has no such column.</param>
/// <param name="ProductName">Exactly as written; empty if the file has no such column.</param>
/// <param name="ImageUrls">Absolute http or https URLs as written, in cell order; may be empty.</param>
internal sealed record ProductRow(long Line, string SerialNumber, string ProductName, IReadOnlyList<string> ImageUrls);
