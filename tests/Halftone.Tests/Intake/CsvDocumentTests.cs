using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Halftone.Catalogue;
using Halftone.Intake;
using Halftone.Tests.Contract;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Intake;

/// <summary>docs/csv.md says what the code does.</summary>
public sealed partial class CsvDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Script.Repository, "docs", "csv.md"));

    public static TheoryData<string> Codes => [.. Enum.GetValues<CsvProblemCode>().Select(CsvProblems.Word)];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task The_example_on_the_page_of_a_problem_has_that_problem(string code)
    {
        if (ErrorPage.Of(code).Block("csv") is { } example)
        {
            var read = await CsvFile.ReadAsync(example);

            Assert.NotEmpty(read.Problems);
            Assert.All(read.Problems, problem => Assert.Equal(code, CsvProblems.Word(problem.Code)));
        }
    }

    [Fact]
    public async Task The_example_of_several_addresses_is_read_as_it_says()
    {
        var row = Assert.Single((await CsvFile.ReadAsync(Example().Match(Document).Groups[1].Value)).Accepted());

        Assert.Equal(["https://cdn.example/w_800,h_600/chair.jpg", "https://cdn.example/chair-2.jpg"], row.ImageUrls);
    }

    [Fact]
    public async Task The_commands_are_understood_and_each_variant_gets_its_column()
    {
        await using var server = await HalftoneServer.StartAsync(TestContext.Current.CancellationToken);
        var columns = new List<string>();
        foreach (Match command in Command().Matches(Document))
        {
            columns.Add(await CurlCommand.NewColumnsAsync(command.Groups[1].Value, server, TestContext.Current.CancellationToken));
        }

        Assert.Equal(["Output Image Urls,Image Errors", "Output Image Urls,Output Image Urls (thumb),Output Image Urls (zoom),Image Errors"], columns);
    }

    [Fact]
    public void The_accepted_names_are_listed_in_their_order()
    {
        foreach (var names in new[] { CsvColumns.UrlNames, CsvColumns.SerialNames, CsvColumns.NameNames })
        {
            Assert.Contains($"| {string.Join(", ", names)} |", Document, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_limits_stand_with_their_defaults()
    {
        var defaults = new IntakeOptions();
        var limits = typeof(IntakeOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance);

        Assert.NotEmpty(limits);
        Assert.All(limits, limit => Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"| `Intake:{limit.Name}` | {limit.GetValue(defaults):N0} |"), Document, StringComparison.Ordinal));
    }

    [GeneratedRegex("```csv\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Command();
}
