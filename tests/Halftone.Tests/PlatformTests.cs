using System.Reflection;
using System.Runtime.Versioning;
using System.Xml.Linq;
using Halftone.Codec;
using Halftone.Csv;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

/// <summary>What can be seen here of other systems. tests/packages/run publishes for them.</summary>
public sealed class PlatformTests
{
    /// <summary>With that attribute the compiler refuses a call that is not guarded by a question for the system (CA1416).</summary>
    [Fact]
    public void Every_native_function_says_on_which_systems_it_is_there()
    {
        Assembly[] ours = [typeof(Program).Assembly, typeof(ImageCodec).Assembly, typeof(CsvScanner).Assembly];
        var imports = ours.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type =>
                type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(method => method.Attributes.HasFlag(MethodAttributes.PinvokeImpl))
            .ToArray();

        Assert.True(imports.Length > 10);
        Assert.All(
            imports,
            method => Assert.True(
                method.IsDefined(typeof(OSPlatformAttribute)) || method.DeclaringType!.IsDefined(typeof(OSPlatformAttribute)),
                $"{method.DeclaringType}.{method.Name}"));
    }

    [Fact]
    public void Every_system_that_is_published_for_has_its_own_libvips_and_SQLite()
    {
        var project = XElement.Load(Path.Combine(Script.Repository, "src", "Halftone", "Halftone.csproj"));
        var versions = XElement.Load(Path.Combine(Script.Repository, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .ToDictionary(package => package.Attribute("Include")!.Value, package => package.Attribute("Version")!.Value);
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var sqlite = Directory.EnumerateDirectories(Path.Combine(packages, "sqlite")).Single();
        var systems = project.Descendants("RuntimeIdentifiers").Single().Value.Split(';');

        Assert.Contains("win-x64", systems);
        Assert.All(systems, system =>
        {
            var libvips = Path.Combine(packages, $"netvips.native.{system}", versions[$"NetVips.Native.{system}"]);
            Assert.Contains(Natives(libvips, system), file => file.Contains("libvips", StringComparison.Ordinal));
            Assert.Contains(Natives(sqlite, system), file => file.Contains("e_sqlite3", StringComparison.Ordinal));
        });
    }

    private static IEnumerable<string> Natives(string package, string system) =>
        Directory.EnumerateFiles(Path.Combine(package, "runtimes", system, "native")).Select(file => Path.GetFileName(file));
}
