using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Halftone.Tests.Commands;
using Halftone.Tests.Servers;

namespace Halftone.Tests;

/// <summary>Each command of the README is run as it stands there; only names that stand for something else are replaced.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(Script.Repository, "README.md"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_command_block_is_one_that_a_test_here_runs() => Assert.Equal(
        ["dotnet run -c Release --project src/Halftone -- demo", "dotnet run -c Release --project src/Halftone -- serve", UploadBlock(), VerbBlock("upload"), VerbBlock("run"), PostgresBlock(), "./test"],
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
        var saved = double.Parse(Regex.Match(output, @"([\d.]+) % saved").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains($"lose {Math.Round(saved)} % of their bytes", Readme);
    }

    [Fact]
    public async Task The_upload_gives_the_answer_and_the_result_that_are_shown()
    {
        await using var origin = await OriginAsync();
        await using var server = await HalftoneServer.StartAsync(Cancelled);
        var folder = Directory.CreateTempSubdirectory("halftone-readme-").FullName;
        var commands = UploadBlock().Replace("https://shop.example/", origin.Address.AbsoluteUri).Replace("http://127.0.0.1:4300/", server.Client.BaseAddress!.AbsoluteUri);
        var (exitCode, output) = await RunAsync("bash", ["-ec", $"cd '{folder}'; {commands}"]);
        Directory.Delete(folder, recursive: true);
        Assert.True(exitCode == 0, output);

        var shown = JsonDocument.Parse(Blocks("json").Single()).RootElement;
        var given = JsonDocument.Parse(output[output.IndexOf('{')..]).RootElement;
        Assert.Equal(shown.EnumerateObject().Select(m => m.Name), given.EnumerateObject().Select(m => m.Name));
        Assert.Equal((shown.GetProperty("products").GetInt32(), shown.GetProperty("images").GetInt32()), (given.GetProperty("products").GetInt32(), given.GetProperty("images").GetInt32()));

        var id = given.GetProperty("request_id").GetGuid();
        await server.WaitForEndAsync(id, Cancelled);
        var result = (await server.ResultAsync(id, Cancelled)).Replace(origin.Address.AbsoluteUri, "https://shop.example/");
        Assert.Equal(WithoutKeys(Blocks("csv").Single()), WithoutKeys(result).TrimEnd('\n'));
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
        var commands = PostgresBlock()
            .Replace("halftone:secret@db.example/halftone", $"{address.Username}@{address.Host}:{address.Port}/{address.Database}")
            .Replace("dotnet run -c Release --project src/Halftone -- serve", $"exec '{Path.Combine(AppContext.BaseDirectory, "halftone")}' serve --urls http://127.0.0.1:0 --data '{folder}'");
        using (var server = Process.Start(new ProcessStartInfo("bash", ["-ec", commands]) { RedirectStandardOutput = true })!)
        {
            Assert.StartsWith("Halftone listens on ", await server.StandardOutput.ReadLineAsync(Cancelled));
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(Cancelled);
        }

        Assert.False(File.Exists(Path.Combine(folder, "halftone.db")));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Every_link_leads_to_a_file() =>
        Assert.All(Links().Matches(Readme).Select(match => match.Groups[1].Value), link => Assert.True(Path.Exists(Path.Combine(Script.Repository, link)), link));

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

    [GeneratedRegex(@"\]\(([^)#:]+)\)")]
    private static partial Regex Links();

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(Cancelled);
        var errors = process.StandardError.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);
        return (process.ExitCode, await output + (process.ExitCode == 0 ? "" : await errors));
    }
}
