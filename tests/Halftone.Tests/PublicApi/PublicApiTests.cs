using Halftone.Codec;
using Halftone.Csv;
using Halftone.Tests.Servers;
using PublicApiGenerator;

namespace Halftone.Tests.PublicApi;

/// <summary>
/// What the two libraries promise to those who use their packages: a change of it is made on purpose, in the file beside this one.
/// </summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(ImageCodec))]
    [InlineData(typeof(CsvScanner))]
    public void Nothing_public_changes_unseen(Type ofLibrary)
    {
        var name = $"{ofLibrary.Assembly.GetName().Name}.txt";
        var baseline = Path.Combine(Script.Repository, "tests", "Halftone.Tests", "PublicApi", name);
        var isAsIs = ofLibrary.Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings(
            "\n")
            + "\n";
        var copy = Path.Combine(AppContext.BaseDirectory, name);
        File.WriteAllText(copy, isAsIs);

        Assert.True(
            File.Exists(baseline) && File.ReadAllText(baseline) == isAsIs,
            $"The public API differs from {Path.GetRelativePath(Script.Repository, baseline)}: where that is meant, copy "
                + $"{Path.GetRelativePath(Script.Repository, copy)} over it.");
    }
}
