using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Halftone.Tests.Cli;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

/// <summary>THIRD-PARTY-NOTICES.md names what comes with a published Halftone, in the words of the packages themselves.</summary>
public sealed partial class ThirdPartyNoticesTests
{
    private static readonly string Notices = File.ReadAllText(Path.Combine(Script.Repository, "THIRD-PARTY-NOTICES.md"));
    private static readonly string Packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    [Fact]
    public void Every_package_that_ships_is_listed_with_its_licence_and_copyright() =>
        Assert.Equal(Shipped().Select(Row).Order(StringComparer.Ordinal), Rows().Matches(Notices).Select(match => match.Value).Order(StringComparer.Ordinal));

    [Fact]
    public void The_libvips_that_is_named_is_the_one_that_comes_along()
    {
        var versions = JsonNode.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(HalftoneProcess.Program)!, "licenses", "libvips", "versions.json")))!;
        Assert.Contains($"libvips {versions["vips"]} ", Notices.Replace('\n', ' '));
    }

    [Fact]
    public void Licences_and_notices_are_beside_the_program() =>
        Assert.All(
            ["LICENSE", "THIRD-PARTY-NOTICES.md", .. Directory.EnumerateFiles(Path.Combine(Script.Repository, "licenses")).Select(file => Path.Combine("licenses", Path.GetFileName(file)))],
            file => Assert.Equal(File.ReadAllText(Path.Combine(Script.Repository, file)), File.ReadAllText(Path.Combine(Path.GetDirectoryName(HalftoneProcess.Program)!, file))));

    /// <summary>The packages of the shipped projects' lock files, but for those that only build.</summary>
    private static IEnumerable<(string Name, string Version)> Shipped() =>
        new[] { "src/Halftone/packages.lock.json", "src/Halftone.Codec/packages.lock.json" }
            .SelectMany(file => Read(file)["dependencies"]!.AsObject())
            .SelectMany(framework => framework.Value!.AsObject())
            .Where(package => (string)package.Value!["type"]! != "Project")
            .Select(package => (package.Key, (string)package.Value!["resolved"]!))
            .Distinct()
            .Where(package => Nuspec(package).Element("developmentDependency")?.Value != "true");

    private static string Row((string Name, string Version) package)
    {
        var nuspec = Nuspec(package);
        return $"| {package.Name} | {package.Version} | {nuspec.Element("license")!.Value} | {(nuspec.Element("copyright") ?? nuspec.Element("authors"))!.Value} |";
    }

    /// <summary>What the package says of itself; it is there, for the build has used it. Its elements are in a namespace that differs from package to package.</summary>
    private static XElement Nuspec((string Name, string Version) package)
    {
        var name = package.Name.ToLowerInvariant();
        var metadata = XElement.Load(Path.Combine(Packages, name, package.Version, $"{name}.nuspec")).Elements().Single(element => element.Name.LocalName == "metadata");
        return new XElement("metadata", metadata.Elements().Select(element => new XElement(element.Name.LocalName, element.Value)));
    }

    private static JsonNode Read(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Script.Repository, file)))!;

    [GeneratedRegex(@"^\| [\w.-]+ \| [\d.]+ \|.*\|$", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
