using System.Text.Json.Nodes;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Contract;

/// <summary>postman/halftone.postman_collection.json</summary>
public sealed class PostmanTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_collection_has_every_route_with_example_responses_and_is_what_the_contract_says()
    {
        Assert.Equal(
            ContractFiles.Operations()
                .Select(operation => $"{operation.Method.ToUpperInvariant()} {operation.Path}")
                .Order(StringComparer.Ordinal),
            PostmanFile.Routes.Order(StringComparer.Ordinal));
        await ContractFiles.AssertIsAsync("postman/halftone.postman_collection.json", PostmanFile.Make(), Cancelled);
        Assert.All(Items(), item => Assert.NotEmpty(item["response"]!.AsArray()));
    }

    [Fact]
    public async Task Every_call_of_the_collection_gets_the_body_that_it_expects()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/mug.jpg", Picture.Jpeg);
        await using var receiver = await WebhookReceiver.AnsweringAsync(204, Cancelled);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var report = Path.Combine(server.DataFolder, "newman.json");

        await Script.NpmAsync(
            "newman/bin/newman.js",
            [
                "run", "../../postman/halftone.postman_collection.json", "--working-dir", "../../postman", "--color", "off", "--reporters",
                "cli,json", "--reporter-json-export", report,
                "--env-var", $"base_url={server.Client.BaseAddress!.AbsoluteUri.TrimEnd('/')}", "--env-var",
                $"image_url={origin.Url("mug.jpg")}", "--env-var", $"webhook_url={receiver.Url()}",
            ],
            Cancelled);

        var calls = JsonNode.Parse(await File.ReadAllTextAsync(report, Cancelled))!["run"]!["executions"]!.AsArray();
        Assert.Equal(Items().Select(item => (string)item["name"]!), calls.Select(call => (string)call!["item"]!["name"]!));
        Assert.All(calls, call => Assert.NotEmpty(call!["assertions"]!.AsArray()));
    }

    private static IEnumerable<JsonNode> Items() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Script.Repository, "postman", "halftone.postman_collection.json")))!["item"]!
            .AsArray()
            .SelectMany(folder => folder!["item"]!.AsArray())
            .OfType<JsonNode>();
}
