using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Halftone.Tests.Cli;
using Halftone.Tests.Contract;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

/// <summary>Each command of the README is run as it stands there; only names that stand for something else are replaced.</summary>
public sealed partial class ReadmeTests
{
    private const string Serve = "dotnet run -c Release --project src/Halftone -- serve";
    private static readonly string Readme = File.ReadAllText(Path.Combine(Script.Repository, "README.md"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_command_block_is_one_that_a_test_here_runs() => Assert.Equal(
        ["dotnet run -c Release --project src/Halftone -- demo", Serve, UploadBlock(), VerbBlock("upload"), VerbBlock("run"), PostgresBlock(), "./test"],
        Blocks("bash"));

    [Fact]
    public async Task The_demo_shows_its_result_and_ends_with_once()
    {
        // The program that the command has just built; building it again here would only take long.
        var (exitCode, output) = await RunAsync(HalftoneProcess.Program, ["demo", "--once"]);
        Assert.True(exitCode == 0, output);
        Assert.Contains("S. No.,Product Name,Input Image Urls,Output Image Urls,Image Errors", output);
        output = Colours().Replace(output, "");
        Assert.Contains("COMPLETED: 12 of 12 images", output);
        var saved = double.Parse(Regex.Match(output, @"([\d.]+)% saved").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains($"lose {Math.Round(saved)} % of their bytes", Readme);
    }

    [Fact]
    public async Task The_upload_gives_the_answer_and_the_result_that_are_shown()
    {
        await using var origin = await OriginAsync();
        var folder = Directory.CreateTempSubdirectory("halftone-readme-").FullName;
        await using var server = await ServeAsync(Serve, folder);
        using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
        var commands = UploadBlock().Replace("https://shop.example/", origin.Address.AbsoluteUri).Replace("http://127.0.0.1:4300", server.Address);
        var (exitCode, output) = await RunAsync("bash", ["-ec", $"cd '{folder}'; {commands}"]);
        Assert.True(exitCode == 0, output);

        var shown = JsonDocument.Parse(Blocks("json").Single()).RootElement;
        var given = JsonDocument.Parse(output[output.IndexOf('{')..]).RootElement;
        Assert.Equal(shown.EnumerateObject().Select(m => m.Name), given.EnumerateObject().Select(m => m.Name));
        Assert.Equal((shown.GetProperty("products").GetInt32(), shown.GetProperty("images").GetInt32()), (given.GetProperty("products").GetInt32(), given.GetProperty("images").GetInt32()));

        var id = given.GetProperty("request_id").GetGuid();
        Assert.Contains("event: end", await client.GetStringAsync($"status/{id}/events", Cancelled));
        var result = (await client.GetStringAsync($"results/{id}.csv", Cancelled)).Replace(origin.Address.AbsoluteUri, "https://shop.example/");
        Assert.Equal(WithoutKeys(Blocks("csv").Single()), WithoutKeys(result).TrimEnd('\n'));
        Assert.Equal(3, (await client.GetStringAsync($"results/{id}.ndjson", Cancelled)).TrimEnd('\n').Split('\n').Length);
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_fields_that_are_mentioned_are_understood_and_each_variant_gets_its_column()
    {
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var fields = Spans().Matches(Readme).Select(match => match.Groups[1].Value).Where(IsField);
        Assert.Equal("Output Image Urls,Output Image Urls (thumb),Output Image Urls (zoom),Image Errors", await CurlCommand.NewColumnsAsync($"curl -F file=@products.csv {string.Join(' ', fields)} http://127.0.0.1:4300/upload", server, Cancelled));
    }

    [Theory]
    [InlineData("upload", "result.csv")]
    [InlineData("run", "compressed/products-result.csv")]
    public async Task The_verbs_write_the_result_that_is_shown(string verb, string result)
    {
        await using var origin = await OriginAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var folder = Directory.CreateTempSubdirectory("halftone-readme-").FullName;
        var writeCsv = UploadBlock()[..UploadBlock().IndexOf("curl", StringComparison.Ordinal)].Replace("https://shop.example/", origin.Address.AbsoluteUri);
        var command = VerbBlock(verb).Replace("dotnet run -c Release --project src/Halftone --", HalftoneProcess.Program);
        var environment = $"export Halftone__Fetch__AllowNetworks__0=127.0.0.1 HALFTONE_SERVER={server.Client.BaseAddress}";
        var (exitCode, output) = await RunAsync("bash", ["-ec", $"cd '{folder}'; {environment}; {writeCsv}{command}"]);
        Assert.True(exitCode == 0, output);
        Assert.Contains(result, Readme);
        Assert.Equal(WithoutKeys(Blocks("csv").Single()), WithoutKeys((await File.ReadAllTextAsync(Path.Combine(folder, result), Cancelled)).Replace(origin.Address.AbsoluteUri, "https://shop.example/")).TrimEnd('\n'));
        Assert.Equal(verb == "run" ? 3 : 0, Directory.EnumerateFiles(folder, "?-?-*", SearchOption.AllDirectories).Count());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_server_records_in_postgresql_where_it_is_told_to()
    {
        var address = new Npgsql.NpgsqlConnectionStringBuilder(await PostgresServer.NewDatabaseAsync(Cancelled));
        var folder = Directory.CreateTempSubdirectory("halftone-readme-").FullName;
        var commands = PostgresBlock().Replace("halftone:secret@db.example/halftone", $"{address.Username}@{address.Host}:{address.Port}/{address.Database}");
        await using (await ServeAsync(commands, folder))
        {
        }

        Assert.False(File.Exists(Path.Combine(folder, "halftone.db")));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What stands between the blocks, such as <c>halftone keys add NAME</c>.</summary>
    [Fact]
    public void Every_verb_option_and_route_that_is_mentioned_exists()
    {
        var root = Program.CreateRoot();
        var options = Options(root).ToHashSet();
        var routes = ContractFiles.Operations().Select(operation => operation.Path).ToHashSet();
        var mentions = Spans().Matches(Readme).Select(match => match.Groups[1].Value).ToArray();
        Assert.All(mentions.Where(text => text.StartsWith("halftone ", StringComparison.Ordinal)), text => Assert.Empty(root.Parse(text["halftone ".Length..]).Errors));
        Assert.All(mentions.Where(text => text.StartsWith("--", StringComparison.Ordinal) && !IsField(text)), text => Assert.Contains(text.Split(' ')[0], options));
        Assert.All(mentions.Where(text => text.StartsWith("GET ", StringComparison.Ordinal) || text.StartsWith("/health", StringComparison.Ordinal)), text => Assert.Contains(text.Split(' ')[^1], routes));
        Assert.True(mentions.Length > 10);
    }

    /// <summary>Serves the samples under their names.</summary>
    private static async Task<ImageOrigin> OriginAsync()
    {
        var origin = await ImageOrigin.StartAsync(Cancelled);
        foreach (var name in Picture.SampleNames)
        {
            origin.Serve("/" + name, Picture.Sample(name));
        }

        return origin;
    }

    /// <summary>The server that a block starts, on a port and a folder of its own and allowed to fetch from this machine.</summary>
    private static async Task<ServedProcess> ServeAsync(string commands, string folder)
    {
        commands = commands.Replace(Serve, $"exec '{HalftoneProcess.Program}' serve --allow-network 127.0.0.1 --urls http://127.0.0.1:0 --data '{folder}'");
        // A busy machine may let a database wait, and the log says so among what is read here.
        var start = new ProcessStartInfo("bash", ["-ec", commands]) { RedirectStandardOutput = true, Environment = { ["Halftone__Logging__LogLevel__Default"] = "Error" } };
        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync(Cancelled);
        Assert.StartsWith("Halftone listens on ", line);
        return new ServedProcess(process, Address().Match(line!).Value);
    }

    private sealed record ServedProcess(Process Process, string Address) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Process.Kill(entireProcessTree: true);
            await Process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static IEnumerable<string> Options(Command command) => command.Options.Select(option => option.Name).Concat(command.Subcommands.SelectMany(Options));

    /// <summary>Options of curl, with which it sends a field.</summary>
    private static bool IsField(string text) => text.StartsWith("-F ", StringComparison.Ordinal) || text.StartsWith("--form-string ", StringComparison.Ordinal);

    private static string VerbBlock(string verb) => Blocks("bash").Single(block => block.Contains($"-- {verb} ", StringComparison.Ordinal));

    private static string PostgresBlock() => Blocks("bash").Single(block => block.Contains("ConnectionString", StringComparison.Ordinal));

    private static string UploadBlock() => Blocks("bash").Single(block => block.Contains("curl", StringComparison.Ordinal));

    private static IEnumerable<string> Blocks(string language) => Regex.Matches(Readme, $"```{language}\n(.*?)\n```", RegexOptions.Singleline).Select(match => match.Groups[1].Value);

    /// <summary>Address, request and random bits of an output URL differ from run to run.</summary>
    private static string WithoutKeys(string csv) => Keys().Replace(csv, "http://server/images/$1$2");

    [GeneratedRegex(@"(?:http://127\.0\.0\.1:\d+/)?images/[^/]+/(\d+-\d+-)[^.,]+(\.\w+)")]
    private static partial Regex Keys();

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colours();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Spans();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(Cancelled);
        var errors = process.StandardError.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);
        return (process.ExitCode, await output + (process.ExitCode == 0 ? "" : await errors));
    }
}
