namespace Halftone.Csv;

/// <summary>The largest record that a scanner accepts.</summary>
/// <param name="MaxRecordBytes">
/// Longest record, without its line ending, in bytes of the text that <see cref="CsvDialect.OpenText"/> gives. It bounds the memory of a scanner.
/// </param>
/// <param name="MaxColumns">Most cells in a record.</param>
public sealed record CsvLimits(int MaxRecordBytes, int MaxColumns);
