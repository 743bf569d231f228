using System.Text.Json.Nodes;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Contract;

/// <summary>Files of the repository that tests make: compared, or written again if HALFTONE_WRITE_DOCS is set.</summary>
internal static class ContractFiles
{
    public static JsonObject OpenApi() => JsonNode.Parse(File.ReadAllText(Path.Combine(Script.Repository, "docs", "openapi.json")))!.AsObject();

    /// <summary>The operations of the contract.</summary>
    public static IEnumerable<(string Method, string Path, JsonObject Operation)> Operations() =>
        from path in OpenApi()["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key, path.Key, operation.Value!.AsObject());

    /// <summary>The answers of an operation, the shared ones in place of the references to them.</summary>
    public static IEnumerable<(string Status, JsonObject Response)> Responses(JsonObject operation) =>
        operation["responses"]!.AsObject().Select(response => (response.Key, (response.Value!["$ref"] is { } reference ? Find((string)reference!) : response.Value).AsObject()));

    /// <summary>What a reference such as <c>#/components/schemas/Problem</c> names.</summary>
    public static JsonNode Find(string reference) => reference.Split('/').Skip(1).Aggregate((JsonNode)OpenApi(), (node, name) => node[name]!);

    public static async Task AssertIsAsync(string path, string expected, CancellationToken cancellationToken)
    {
        var file = Path.Combine(Script.Repository, path);
        if (Environment.GetEnvironmentVariable("HALFTONE_WRITE_DOCS") is not null)
        {
            await File.WriteAllTextAsync(file, expected, cancellationToken);
        }

        Assert.True(
            expected == await File.ReadAllTextAsync(file, cancellationToken),
            $"{path} is not what the code says. Write it again with HALFTONE_WRITE_DOCS=1, and read the difference as a user will.");
    }
}
