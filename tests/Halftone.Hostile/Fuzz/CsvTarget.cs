using System.Text;
using Halftone.Catalogue;
using Halftone.Intake;
using Halftone.Results;

namespace Halftone.Hostile.Fuzz;

/// <summary>An uploaded file: it is refused with problems that have a line, or its result gives the same rows again.</summary>
internal sealed class CsvTarget : FuzzTarget
{
    private static readonly IntakeOptions Options = new() { MaxRecordBytes = 4_096, MaxRows = 1_000, MaxImages = 2_000, MaxColumns = 200 };

    public override IReadOnlyList<byte[]> Seeds { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "corpus", "csv"), "*.csv").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Where(file => file.Length < 20_000)];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[] { "\"", "\"\"", ",", ";", "\t", "|", "\r", "\n", "\r\n", "Input Image Urls", "Output Image Urls", "Image Errors", "Product Name", "S. No.", "https://", "http://a.example/1.jpg", "=1+1", "\0", "sep=;\n", "ä", "€" }.Select(Encoding.UTF8.GetBytes),
        [0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF], [0x1F, 0x8B], [0xE4], [0xD8, 0x00],
    ];

    public override async Task<string> TryAsync(byte[] input, CancellationToken cancellationToken)
    {
        var (reader, rows) = await ReadAsync(input, cancellationToken);
        if (reader.Problems.Count > 0)
        {
            var problem = reader.Problems.Listed[0];
            return problem.Message.Length > 0 ? CsvProblems.Word(problem.Code) : throw new FuzzException("A problem says nothing.");
        }

        using var result = new MemoryStream();
        using var spool = new MemoryStream(input);
        var outcomes = rows.SelectMany(row => row.ImageUrls.Select((url, index) => new ImageOutcome(row.Line, index % 2 == 0 ? "http://out.example/" + index : null, index % 2 == 0 ? null : "http_404"))).ToAsyncEnumerable();
        await ResultCsv.WriteAsync(spool, reader.Dialect!, result, outcomes, [], escapeFormulas: false, cancellationToken);
        // What was at a limit may be beyond it with the columns that were added.
        var roomy = new IntakeOptions { MaxRecordBytes = 1 << 20 };
        using var again = new MemoryStream(result.ToArray());
        var second = await ProductCsvReader.ReopenAsync(again, reader.Dialect!, roomy, cancellationToken);
        var found = await RowsAsync(second, cancellationToken);
        return second.Problems.Count == 0 && rows.Select(Describe).Where(IsProduct).SequenceEqual(found.Select(Describe).Where(IsProduct)) ? "accepted" : throw new FuzzException("The result has other rows than the file.");
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<(ProductCsvReader Reader, List<ProductRow> Rows)> ReadAsync(byte[] file, CancellationToken cancellationToken)
    {
        using var spool = new MemoryStream(file);
        var reader = await ProductCsvReader.OpenAsync(spool, Options, cancellationToken);
        return (reader, await RowsAsync(reader, cancellationToken));
    }

    private static async Task<List<ProductRow>> RowsAsync(ProductCsvReader reader, CancellationToken cancellationToken)
    {
        var rows = new List<ProductRow>();
        await foreach (var row in reader.ReadRowsAsync(cancellationToken))
        {
            foreach (var url in row.ImageUrls)
            {
                if (!Uri.TryCreate(url, UriKind.Absolute, out _))
                {
                    throw new FuzzException($"A URL was let through that is none: {url}");
                }
            }

            rows.Add(row);
        }

        return rows;
    }

    /// <summary>A row in which only an old output or error stood is empty when those are replaced, and empty rows are no products.</summary>
    private static bool IsProduct(string described) => described != "||";

    /// <summary>Not the line: an old output cell of several lines is replaced by one of a single line.</summary>
    private static string Describe(ProductRow row) => $"{row.SerialNumber}|{row.ProductName}|{string.Join(' ', row.ImageUrls)}";
}
