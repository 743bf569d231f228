using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Halftone.Api.Access;
using Halftone.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Halftone.Tests.Contract;

/// <summary>docs/openapi.json, which the server gives out as /openapi/v1.json.</summary>
public sealed class OpenApiTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_contract_is_what_the_routes_and_their_comments_say_and_the_reference_what_the_contract_says()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await ContractFiles.AssertIsAsync("docs/openapi.json", await OpenApiFile.MakeAsync(server, Cancelled), Cancelled);
        await ContractFiles.AssertIsAsync("docs/api.md", ApiPage.Make(), Cancelled);
    }

    [Fact]
    public async Task Every_route_of_the_server_is_in_the_contract_and_the_reverse()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        Assert.Equal(
            OpenApiFile.RoutesOf(server).Select(route => $"{route.Method} {route.Path}").Order(StringComparer.Ordinal),
            ContractFiles.Operations().Select(operation => $"{operation.Method} {operation.Path}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_server_gives_the_contract_to_anyone()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        await server.Services.GetRequiredService<ApiKeys>().AddAsync("team", Cancelled);
        Assert.True(JsonNode.DeepEquals(ContractFiles.OpenApi(), await server.Client.GetFromJsonAsync<JsonNode>("openapi/v1.json", Cancelled)));
    }

    [Fact]
    public async Task Spectral_finds_nothing_to_say() =>
        await Script.NpmAsync("@stoplight/spectral-cli/dist/index.js", ["lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", "../../docs/openapi.json"], Cancelled);

    [Fact]
    public void Everything_in_it_is_described_and_every_body_has_an_example()
    {
        var contract = ContractFiles.OpenApi();
        foreach (var (name, schema) in contract["components"]!["schemas"]!.AsObject())
        {
            Assert.True(IsDescribed(schema), name);
            Assert.All(schema!["properties"]!.AsObject(), property => Assert.True(IsDescribed(property.Value), $"{name}.{property.Key}"));
        }

        foreach (var (method, path, operation) in ContractFiles.Operations())
        {
            Assert.True(IsDescribed(operation) && operation["summary"] is not null, $"{method} {path}");
            Assert.All(operation["parameters"]?.AsArray() ?? [], parameter => Assert.True(IsDescribed(parameter) && parameter!["example"] is not null, $"{method} {path} {parameter}"));
            foreach (var (status, response) in ContractFiles.Responses(operation))
            {
                Assert.True(IsDescribed(response), $"{method} {path} {status}");
            }

            var bodies = ContractFiles.Responses(operation).Select(response => response.Response["content"]).Append(operation["requestBody"]?["content"]).SelectMany(content => content?.AsObject() ?? []);
            // Pictures and pages are to be looked at.
            Assert.All(bodies.Where(body => !body.Key.StartsWith("image/", StringComparison.Ordinal) && (string)operation["tags"]![0]! != "Pages"),
                body => Assert.True(body.Value!["example"] is not null || body.Value["examples"] is not null, $"{method} {path} {body.Key}"));
        }
    }

    private static bool IsDescribed(JsonNode? node) => node!["description"]?.GetValue<string>() is { Length: > 0 };
}
