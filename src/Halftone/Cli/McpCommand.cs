using System.CommandLine;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Halftone.Api;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Halftone.Cli;

/// <summary>
/// <c>halftone mcp</c>: what a server can be asked, as tools for an assistant over standard input and output
/// (Model Context Protocol, https://modelcontextprotocol.io). Each tool answers with the JSON of the API.
/// </summary>
internal static class McpCommand
{
    private const int MostProducts = 20, MostFailedRows = 100;

    private const string Instructions =
        "Halftone compresses the product images of a CSV. Call preview_csv first and show the person what is in the file; start_request "
            + "does the work and may "
        + "overwrite nothing; then ask request_status until its status is COMPLETED, FAILED or CANCELLED, with pauses of some seconds; "
        + "failed_rows tells what to fix.";

    public static Command Create() => ClientVerb.WithServer(
        new Command(
            "mcp",
            "Serves tools for assistants over standard input and output (Model Context Protocol): preview a CSV, start it, ask how it "
                + "stands, list failed rows."),
        async (_, client, cancellationToken) =>
        {
            var options = OptionsFor(client);
            await using var transport = new StdioServerTransport(options);
            await using var server = McpServer.Create(transport, options);
            await server.RunAsync(cancellationToken);
            return ExitCode.Done;
        });

    private static McpServerOptions OptionsFor(ServerClient client) => new()
    {
        ServerInfo = new Implementation
        {
            Name = "halftone",
            Version = typeof(McpCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        },
        ServerInstructions = Instructions,
        ToolCollection =
        [
            Tool(
                "preview_csv",
                "Reads a CSV and says what is in it and what is wrong with it: rows, image URLs, their hosts, recognised columns, "
                    + "problems with their lines. Nothing is kept.",
                isReadOnly: true,
                    ([Description("Path of the CSV on this machine, also gzipped.")] string path, CancellationToken cancellationToken) =>
                        AnswerAsync(async () => (await client.CheckAsync(path, cancellationToken)).Json)),
            Tool(
                "start_request",
                "Uploads a CSV: its images are fetched, compressed and stored, and a result CSV is made. Answers at once with the "
                    + "request_id.",
                isReadOnly: false,
                    ([Description("Path of the CSV on this machine, also gzipped.")] string path,
                        [Description("Quality from 1 to 100; default 50.")] int? quality = null,
                        [Description("jpeg, png, webp, gif or avif; default: each image keeps its own.")] string? format = null,
                        [Description("Maximum output width in pixels.")] int? max_width = null,
                        [Description("Maximum output height in pixels.")] int? max_height = null,
                        [Description("More outputs of each image, such as thumb:max_width=200;zoom:quality=70.")] string? variants = null,
                        CancellationToken cancellationToken = default) =>
                        AnswerAsync(async () => (await client.UploadAsync(
                            new UploadRequest
                            {
                                File = path,
                                Fields = Given(
                                    ("quality", Number(quality)),
                                    ("format", format),
                                    ("max_width", Number(max_width)),
                                    ("max_height", Number(max_height)),
                                    ("variants", variants)),
                            },
                            static _ => { },
                            cancellationToken)).Json)),
            Tool(
                "request_status",
                $"Says how a request stands: status, progress, bytes saved, failures by kind, its first {MostProducts} products and, when "
                    + $"it has ended, where its result is.",
                isReadOnly: true,
                    ([Description("The request_id that start_request answered.")] string request_id, CancellationToken cancellationToken) =>
                        AnswerAsync(async () => (await client.StatusAsync(request_id, MostProducts, cancellationToken)).Json)),
            Tool(
                "failed_rows",
                $"Lists images that failed, {MostFailedRows} at most a call: line and product, URL, why it failed and what to do. "
                    + $"next_cursor, where there is one, asks for the next of them.",
                isReadOnly: true,
                    ([Description("The request_id that start_request answered.")] string request_id, [Description(
                        "next_cursor of the call before; left out at the first.")] string? cursor =
                        null, CancellationToken cancellationToken = default) =>
                        AnswerAsync(async () => (await client.CallAsync(
                            HttpMethod.Get,
                            $"requests/{Uri.EscapeDataString(request_id)}/images?status=failed&limit={MostFailedRows}"
                                + $"{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}",
                            null,
                            ApiJson.Default.ImageList,
                            cancellationToken)).Json)),
        ],
    };

    private static McpServerTool Tool(string name, string description, bool isReadOnly, Delegate tool) =>
        McpServerTool.Create(
            tool, new McpServerToolCreateOptions { Name = name, Description = description, ReadOnly = isReadOnly, Destructive = false });

    /// <summary>What the server refuses is the tool's answer too, in the server's words.</summary>
    private static async Task<CallToolResult> AnswerAsync(Func<Task<string>> ask)
    {
        try
        {
            return Text(await ask(), isError: false);
        }
        catch (CommandFailedException exception)
        {
            return Text(exception.Failure.Problem ?? $"{exception.Failure.Code}: {exception.Failure.Detail}", isError: true);
        }
    }

    private static CallToolResult Text(string text, bool isError) =>
        new() { Content = [new TextContentBlock { Text = text }], IsError = isError };

    private static string? Number(int? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static Dictionary<string, string> Given(params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        var given = new Dictionary<string, string>();
        foreach (var (name, value) in fields)
        {
            if (value is not null)
            {
                given[name] = value;
            }
        }

        return given;
    }
}
