using System.Text.Json;
using Halftone.Tests.Servers;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Halftone.Tests.Cli;

/// <summary><c>halftone mcp</c>, by the client of the protocol's own package, against the real server.</summary>
public sealed class McpCommandTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("halftone-mcp-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Fact]
    public async Task An_assistant_looks_at_a_file_starts_it_follows_it_and_reads_what_failed()
    {
        await using var origin = await ImageOrigin.StartAsync(Cancelled);
        origin.Serve("/a.jpg", Picture.Jpeg);
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var csv = Path.Combine(scratch, "products.csv");
        await File.WriteAllTextAsync(
            csv, $"S. No.,Product Name,Input Image Urls\n1,A,{origin.Url("a.jpg")}\n2,B,{origin.Url("missing.jpg")}\n", Cancelled);
        await using var assistant = await McpClient.CreateAsync(
            new StdioClientTransport(new StdioClientTransportOptions
            {
                Command = HalftoneProcess.Program,
                Arguments = ["mcp", "--server", server.Client.BaseAddress!.AbsoluteUri],
            }),
            cancellationToken: Cancelled);

        var tools = await assistant.ListToolsAsync(cancellationToken: Cancelled);
        Assert.Equal(
            ["failed_rows", "preview_csv", "request_status", "start_request"],
            tools.Select(tool => tool.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["start_request"], tools.Where(tool => tool.ProtocolTool.Annotations?.ReadOnlyHint != true).Select(tool => tool.Name));

        var mustBeGiven = tools
            .Single(tool => tool.Name == "start_request").JsonSchema
            .GetProperty("required")
            .EnumerateArray()
            .Select(name => name.GetString());
        Assert.Equal(["path"], mustBeGiven);

        var preview = await CallAsync("preview_csv", ("path", csv));
        Assert.Equal(
            (true, 2, 2),
            (
                preview.GetProperty("valid").GetBoolean(),
                preview.GetProperty("products").GetInt32(),
                preview.GetProperty("images").GetInt32()));
        Assert.Equal(0, await server.CountAsync("SELECT count(*) FROM request", Cancelled));

        var started = await CallAsync("start_request", ("path", csv), ("quality", 40));
        var id = started.GetProperty("request_id").GetGuid();
        await server.WaitForEndAsync(id, Cancelled);
        Assert.Equal(1, await server.CountAsync("SELECT count(*) FROM request WHERE quality = 40", Cancelled));
        var status = await CallAsync("request_status", ("request_id", id));
        Assert.Equal(
            ("COMPLETED", 1), (status.GetProperty("status").GetString(), status.GetProperty("progress").GetProperty("failed").GetInt32()));
        var failed = Assert.Single((await CallAsync("failed_rows", ("request_id", id))).GetProperty("images").EnumerateArray());
        Assert.Equal(origin.Url("missing.jpg").ToString(), failed.GetProperty("input_url").GetString());

        var refused = await assistant.CallToolAsync(
            "start_request",
            new Dictionary<string, object?> { ["path"] = Path.Combine(scratch, "none.csv") },
            cancellationToken: Cancelled);
        Assert.True(refused.IsError);
        Assert.StartsWith("file_unreadable: ", TextOf(refused));

        async Task<JsonElement> CallAsync(string tool, params (string Name, object Value)[] arguments)
        {
            var result = await assistant.CallToolAsync(
                tool, arguments.ToDictionary(argument => argument.Name, argument => (object?)argument.Value), cancellationToken: Cancelled);
            Assert.True(result.IsError is not true, TextOf(result));
            return JsonDocument.Parse(TextOf(result)).RootElement;
        }
    }

    private static string TextOf(CallToolResult result) => Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;
}
