using System.Text;
using System.Text.Json;
using Halftone.Catalogue;
using Halftone.Csv;
using Halftone.Intake;
using Halftone.Tests.Results;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Intake;

/// <summary>Files as people upload them, each beside what must come of it: <c>corpus/csv/NAME.csv</c> and <c>NAME.json</c>.</summary>
public sealed class CsvCorpusTests
{
    private static readonly string Folder = Path.Combine(Script.Repository, "tests", "Halftone.Tests", "corpus", "csv");

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "*.csv").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_file_gives_its_rows_or_is_refused_with_the_line(string name)
    {
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Folder, name + ".csv"), TestContext.Current.CancellationToken);
        using var expected = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, name + ".json"), TestContext.Current.CancellationToken));
        var file = await CsvFile.ReadAsync(bytes);

        if (expected.RootElement.TryGetProperty("problems", out var problems))
        {
            Assert.Equal(
                problems.EnumerateArray().Select(problem => $"{problem.GetProperty("line")} {problem.GetProperty("column").GetString()} {problem.GetProperty("code").GetString()}"),
                file.Problems.Select(problem => $"{problem.Line} {problem.Column} {CsvProblems.Word(problem.Code)}"));
            return;
        }

        Assert.Equal(
            expected.RootElement.GetProperty("rows").EnumerateArray().Select(Describe),
            file.Accepted().Select(row => $"{row.Line}|{row.SerialNumber}|{row.ProductName}|{string.Join(' ', row.ImageUrls)}"));
        Assert.Equal(expected.RootElement.GetProperty("dialect").GetString(), file.Reader.Dialect!.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_result_of_an_accepted_file_gives_the_same_rows(string name)
    {
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Folder, name + ".csv"), TestContext.Current.CancellationToken);
        var file = await CsvFile.ReadAsync(bytes);
        if (file.Problems.Count > 0)
        {
            return;
        }

        var again = await CsvFile.ReadAsync(await CsvResult.WriteAsync(bytes, url => ("https://out.example/" + url.Length, null)));

        Assert.Equal(
            file.Rows.Select(row => (row.Line, row.SerialNumber, row.ProductName, string.Join(' ', row.ImageUrls))),
            again.Accepted().Select(row => (row.Line, row.SerialNumber, row.ProductName, string.Join(' ', row.ImageUrls))));
    }

    [Fact]
    public void Every_problem_code_has_a_file_or_is_a_limit_of_whole_files()
    {
        var seen = Directory.GetFiles(Folder, "*.json").Select(File.ReadAllText).ToList();

        Assert.Equal(
            [CsvProblemCode.TooManyRows, CsvProblemCode.TooManyImages, CsvProblemCode.RecordTooLong],
            Enum.GetValues<CsvProblemCode>().Where(code => !seen.Exists(text => text.Contains($"\"{CsvProblems.Word(code)}\"", StringComparison.Ordinal))));
    }

    /// <summary>The npm package csv-spectrum is a collection of other people's CSV files with the cells that every reader should find.</summary>
    /// <remarks>All of its twelve files but location_coordinates, whose two halves name different telephone numbers.</remarks>
    [Theory]
    [InlineData("comma_in_quotes")]
    [InlineData("empty")]
    [InlineData("empty_crlf")]
    [InlineData("escaped_quotes")]
    [InlineData("json")]
    [InlineData("newlines")]
    [InlineData("newlines_crlf")]
    [InlineData("quotes_and_newlines")]
    [InlineData("simple")]
    [InlineData("simple_crlf")]
    [InlineData("utf8")]
    public async Task Files_of_csv_spectrum_have_the_cells_it_says(string name)
    {
        var folder = Path.Combine(Script.Repository, "tests", "node", "node_modules", "csv-spectrum");
        Assert.SkipUnless(Directory.Exists(folder), "The packages of tests/node are not installed; ./test does it.");
        var bytes = await File.ReadAllBytesAsync(Path.Combine(folder, "csvs", name + ".csv"), TestContext.Current.CancellationToken);
        var expected = JsonSerializer.Deserialize<List<Dictionary<string, string>>>(
            await File.ReadAllTextAsync(Path.Combine(folder, "json", name + ".json"), TestContext.Current.CancellationToken))!;
        var detected = await CsvDetection.DetectAsync(new MemoryStream(bytes), new IntakeOptions().CsvLimits, CsvColumns.Score, TestContext.Current.CancellationToken);
        var dialect = (detected as CsvDetected.Found)?.Dialect;
        var scanner = CsvScanner.Reopen(new MemoryStream(bytes), dialect!);
        string[] header = [];
        var rows = new List<Dictionary<string, string>>();
        while (await scanner.ReadRecordAsync(TestContext.Current.CancellationToken))
        {
            var cells = Enumerable.Range(0, scanner.CellCount).Select(index => CsvText.Read(scanner, index, dialect!)).ToArray();
            if (scanner.Kind == CsvRecordKind.Header)
            {
                header = cells;
            }
            else if (scanner.Kind == CsvRecordKind.Row)
            {
                rows.Add(header.Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second));
            }
        }

        Assert.Equal(expected.Select(Describe), rows.Select(Describe));
    }

    private static string Describe(JsonElement row) =>
        $"{row.GetProperty("line")}|{row.GetProperty("serial").GetString()}|{row.GetProperty("name").GetString()}|{string.Join(' ', row.GetProperty("urls").EnumerateArray().Select(url => url.GetString()))}";

    private static string Describe(Dictionary<string, string> row)
    {
        var text = new StringBuilder();
        foreach (var (column, cell) in row.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.Append(column).Append('=').Append(cell).Append('|');
        }

        return text.ToString();
    }
}
