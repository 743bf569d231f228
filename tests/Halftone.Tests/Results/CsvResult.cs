using System.Text;
using Halftone.Intake;
using Halftone.Results;
using Halftone.Tests.Intake;

namespace Halftone.Tests.Results;

/// <summary>Writes result files in memory.</summary>
internal static class CsvResult
{
    /// <summary>
    /// Reads the file as intake would and writes its result, the outcome of each image made by <paramref name="outcome"/> from its URL.
    /// </summary>
    public static async Task<byte[]> WriteAsync(
        byte[] file, Func<string, (string? OutputUrl, string? Error)> outcome, bool escapeFormulas = false, params string[] variants)
    {
        var read = await CsvFile.ReadAsync(file);
        var destination = new MemoryStream();
        await ResultCsv.WriteAsync(
            new MemoryStream(file), read.Reader.Dialect!, destination, Outcomes(read.Accepted(), outcome, variants), variants,
            escapeFormulas, TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    public static async Task<string> WriteAsync(string file, Func<string, (string? OutputUrl, string? Error)> outcome, bool escapeFormulas =
        false, params string[] variants) =>
        Encoding.UTF8.GetString(await WriteAsync(CsvFile.Bytes(file), outcome, escapeFormulas, variants));

    public static async Task<byte[]> WriteFailedAsync(byte[] file, Func<string, (string? OutputUrl, string? Error)> outcome)
    {
        var read = await CsvFile.ReadAsync(file);
        var destination = new MemoryStream();
        await FailedCsv.WriteAsync(
            new MemoryStream(file), read.Reader.Dialect!, destination, Outcomes(read.Accepted(), outcome),
            TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    public static async Task<string> WriteFailedAsync(string file, Func<string, (string? OutputUrl, string? Error)> outcome) =>
        Encoding.UTF8.GetString(await WriteFailedAsync(CsvFile.Bytes(file), outcome));

    public static IAsyncEnumerable<ImageOutcome> Outcomes(
        IEnumerable<ProductRow> rows, Func<string, (string? OutputUrl, string? Error)> outcome, params string[] variants) =>
        rows
            .SelectMany(row => row.ImageUrls.Select(outcome).Select(made =>
                new ImageOutcome(
                    row.Line, made.OutputUrl, made.Error, [.. variants.Select(variant => VariantUrl(made.OutputUrl, variant))])))
            .ToAsyncEnumerable();

    /// <summary>Where the variant of an output is.</summary>
    public static string? VariantUrl(string? outputUrl, string variant) => outputUrl is null ? null : $"{outputUrl}-{variant}.webp";
}
