using System.Text.Json;
using System.Text.Json.Nodes;
using Halftone.Hosting;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

/// <summary>deploy/appsettings.example.json is every section with every setting at its default; HALFTONE_WRITE_DOCS=1 writes it.</summary>
public sealed class SettingsExampleTests
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Fact]
    public void The_example_has_every_setting_with_its_default()
    {
        var path = Path.Combine(Script.Repository, "deploy", "appsettings.example.json");
        var expected = Example().ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable("HALFTONE_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, expected);
        }

        Assert.Equal(expected, File.ReadAllText(path));
    }

    private static JsonObject Example()
    {
        var example = new JsonObject { ["Urls"] = "http://127.0.0.1:4300" };
        foreach (var (section, type) in Settings.Sections.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var target = example;
            foreach (var part in section.Split(':'))
            {
                target = (JsonObject)(target[part] ??= new JsonObject());
            }

            var defaults = Activator.CreateInstance(type);
            foreach (var property in Settings.Of(type))
            {
                var value = property.GetValue(defaults);
                target[property.Name] = value is Enum word
                    ? JsonValue.Create(word.ToString().ToLowerInvariant())
                    : JsonSerializer.SerializeToNode(value, property.PropertyType);
            }
        }

        return example;
    }
}
