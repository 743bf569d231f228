namespace Halftone.Csv;

/// <summary>The largest record that a scanner accepts.</summary>
/// <param name="MaxRecordBytes">
/// Maximum record length without its line ending, in bytes of the text that <see cref="CsvDialect.OpenText"/> gives. It
/// bounds the memory of a scanner.
/// </param>
/// <param name="MaxColumns">Maximum cells per record.</param>
public sealed record CsvLimits(int MaxRecordBytes, int MaxColumns);
