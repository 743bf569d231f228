using Halftone.Tests.Servers;

namespace Halftone.Tests.House;

public sealed class FloorTests
{
    [Fact]
    public void No_file_names_a_type_of_a_floor_above_its_own_or_beside_it()
    {
        var source = Path.Combine(Script.Repository, "src", "Halftone");
        var violations = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path: Path.GetRelativePath(source, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .SelectMany(file => Floors.Violations(file.Path, file.Text))
            .ToArray();
        Assert.True(violations.Length == 0, string.Join('\n', violations));
    }

    [Theory]
    [InlineData("Fetch/A.cs", "using Halftone.Store;\nnamespace Halftone.Fetch;", "src/Halftone/Fetch/A.cs:1: floor 6 (Fetch) names floor 6 (Store)")]
    [InlineData("Model/A.cs", "namespace Halftone.Model;\nvar x = Api.ProblemType.Of(y);", "src/Halftone/Model/A.cs:2: floor 1 (Model) names floor 10 (Api)")]
    [InlineData("Queue/A.cs", "namespace Halftone.Queue;\n/// <see cref=\"Pipeline.Planner\"/>", "src/Halftone/Queue/A.cs:2: floor 5 (Queue) names floor 9 (Pipeline)")]
    [InlineData("Odd/A.cs", "namespace Halftone.Odd;", "src/Halftone/Odd/A.cs:1: the folder Odd has no floor; add it to Floors.BottomToTop")]
    [InlineData("Io/A.cs", "namespace Halftone.Model;", "src/Halftone/Io/A.cs:1: the file says no \"namespace Halftone.Io;\", so its folder does not tell its floor")]
    public void A_reference_up_or_sideways_is_named_with_its_file_line_and_floor(string path, string text, string expected) =>
        Assert.Equal([expected], Floors.Violations(path, text));

    [Theory]
    [InlineData("Api/Docs/A.cs", "using Halftone.Requests;\nnamespace Halftone.Api.Docs;\nvar x = ProblemType.Of();")]
    [InlineData("Program.cs", "using Halftone.Cli;\nnamespace Halftone;")]
    [InlineData("Io/A.cs", "namespace Halftone.Io;\nthrow new Exception(\"Store.S3 is away\"); // as Store.S3Store says")]
    public void A_reference_down_or_within_a_folder_passes(string path, string text) => Assert.Empty(Floors.Violations(path, text));
}
