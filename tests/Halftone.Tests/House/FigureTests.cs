using System.Text.Json;
using Halftone.Tests.Servers;

namespace Halftone.Tests.House;

/// <summary>
/// Ceilings of the figures that <c>tests/house/figures.py</c> counts; run that script to see all of them. A ceiling goes down, never up.
/// </summary>
public sealed class FigureTests
{
    private const int LargestCircle = 8;
    // All between the entry folder of the codec and its parts.
    private const int MutualFolders = 5;
    private const int LongLinesOfTheProduct = 0;
    private const int SqlAliases = 2;
    private const int ForgivenConnections = 0;
    private const int StringStates = 0;
    private const int Settings = 72;
    private const int DocumentWords = 40_000;
    private const int ImageRunLines = 220;
    private const int LinesOfAFile = 800;

    private static readonly Lazy<Task<JsonElement>> Figures = new(CountAsync);

    [Fact]
    public async Task Files_import_each_other_in_small_circles_only()
    {
        await AssertAtMostAsync("largest_circle", LargestCircle);
        await AssertAtMostAsync("mutual_folders", MutualFolders);
    }

    [Fact]
    public async Task No_line_is_longer_than_140_columns()
    {
        var lines = (await Figures.Value).GetProperty("long_lines").EnumerateArray().Select(line => line.GetString()!).ToArray();
        Assert.DoesNotContain(lines, line => !line.StartsWith("src/", StringComparison.Ordinal));
        Assert.InRange(lines.Length, 0, LongLinesOfTheProduct);
    }

    [Theory]
    [InlineData("sql_aliases", SqlAliases)]
    [InlineData("forgiven_connections", ForgivenConnections)]
    [InlineData("string_states", StringStates)]
    [InlineData("settings", Settings)]
    [InlineData("document_words", DocumentWords)]
    [InlineData("image_run_lines", ImageRunLines)]
    [InlineData("longest_file", LinesOfAFile)]
    public async Task What_was_made_less_does_not_grow_again(string figure, int ceiling) => await AssertAtMostAsync(figure, ceiling);

    private static async Task AssertAtMostAsync(string figure, int ceiling)
    {
        var value = (await Figures.Value).GetProperty(figure);
        var count = value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : value.GetInt32();
        Assert.True(count <= ceiling, $"{figure}: {count}, at most {ceiling} are allowed: {value}");
    }

    private static async Task<JsonElement> CountAsync()
    {
        var lines = await Script.PythonAsync("../house/figures.py", "--json", "", CancellationToken.None);
        return JsonDocument.Parse(lines[0]).RootElement;
    }
}
