using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Halftone.Hosting;
using Halftone.Telemetry;
using Halftone.Tests.Cli;
using Halftone.Tests.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Halftone.Tests;

/// <summary>Dockerfile, compose.yaml and the systemd unit, as far as they can be held to the code without what runs them; docs/deploying.md says what else was tried.</summary>
public sealed partial class DeploymentTests : IDisposable
{
    private static readonly string[] Files = ["Dockerfile", "compose.yaml", "deploy/halftone.service", "docs/deploying.md"];
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-deploy-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_setting_that_is_named_is_one()
    {
        var names = Files.SelectMany(file => Settings().Matches(Read(file)).Select(match => match.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal))).ToHashSet();
        Assert.NotEmpty(names);
        Halftone.Hosting.Settings.Check(new ConfigurationBuilder().AddInMemoryCollection(names.Select(name => KeyValuePair.Create(name, (string?)"x"))).Build());
    }

    [Fact]
    public void Every_verb_with_its_options_is_one()
    {
        string[][] commands =
        [
            .. JsonLists().Matches(Read("Dockerfile") + Read("compose.yaml")).Select(match => Words(match.Groups[1].Value)).Where(words => words[0] is "serve" || words[0].EndsWith("/halftone", StringComparison.Ordinal)).Select(words => words.Where(word => word[0] != '/').ToArray()),
            .. Unit("ExecStart").Select(command => command.Split(' ')[1..]),
            .. Lines().Matches(string.Concat(Files.Select(Read))).Select(match => match.Groups[1].Value.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)),
        ];
        Assert.True(commands.Length >= 6);
        Assert.All(commands.Where(words => words.Length > 0), words => Assert.Empty(Program.CreateRoot().Parse(words).Errors));
    }

    [Fact]
    public void A_supervisor_waits_longer_than_a_stop_takes()
    {
        var builder = ServerBuilder.Create(new Dictionary<string, string?>());
        using var server = builder.Build();
        var longest = server.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout + new TelemetryOptions().FlushTimeout;
        var waits = Grace().Matches(Read("compose.yaml")).Select(match => match.Groups[1].Value).Append(Unit("TimeoutStopSec").Single()).Select(seconds => TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)));
        Assert.All(waits, wait => Assert.True(wait >= longest + TimeSpan.FromSeconds(5), $"{wait} is not enough for {longest}"));
    }

    [Fact]
    public void Everything_that_the_image_is_made_of_is_there_and_is_sent_to_its_build()
    {
        var sent = Read(".dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..]).ToArray();
        var copied = Copies().Matches(Read("Dockerfile")).SelectMany(match => match.Groups[1].Value.Split(' ')[..^1]).ToArray();
        Assert.True(copied.Length > 10);
        Assert.All(copied, path => Assert.True(Path.Exists(Path.Combine(Script.Repository, path)), path));
        Assert.All(copied, path => Assert.Contains(sent, name => path == name || path.StartsWith(name + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Systemd_understands_the_unit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed.");
        var unit = Path.Combine(folder, "halftone.service");
        await File.WriteAllTextAsync(unit, Read("deploy/halftone.service").Replace("/opt/halftone/halftone", HalftoneProcess.Program, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), await RunAsync("systemd-analyze", "verify", "--man=no", unit));
    }

    [Fact]
    public async Task Compose_understands_its_file()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-compose"), "docker-compose is not installed.");
        // Debian's is older than the member `name`.
        await File.WriteAllTextAsync(Path.Combine(folder, "compose.yaml"), Read("compose.yaml").Replace("name: halftone\n", "", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, ".env"), Regex.Replace(Read("deploy/compose.env.example"), "(?m)^(\\w+(?:PASSWORD|SECRET))=$", "$1=abc"), TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), await RunAsync("docker-compose", "--project-directory", folder, "-f", Path.Combine(folder, "compose.yaml"), "config", "--quiet"));
    }

    [Fact]
    public void Compose_asks_for_no_variable_that_the_example_leaves_out()
    {
        var asked = Variables().Matches(Read("compose.yaml")).Select(match => match.Groups[1].Value).ToHashSet();
        var given = Read("deploy/compose.env.example").Split('\n').Where(line => line.Contains('=') && line[0] != '#').Select(line => line.Split('=')[0]).ToHashSet();
        Assert.Equal(asked.Order(StringComparer.Ordinal), given.Order(StringComparer.Ordinal));
    }

    private static string[] Words(string list) => [.. Quoted().Matches(list).Select(match => match.Groups[1].Value)];

    private static IEnumerable<string> Unit(string name) => Read("deploy/halftone.service").Split('\n').Where(line => line.StartsWith(name + "=", StringComparison.Ordinal)).Select(line => line[(name.Length + 1)..]);

    private static string Read(string file) => File.ReadAllText(Path.Combine(Script.Repository, file));

    private static async Task<(int ExitCode, string Said)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    [GeneratedRegex(@"Halftone__((?:(?!__)\w)+(?:__(?:(?!__)\w)+)*)")]
    private static partial Regex Settings();

    [GeneratedRegex(@"\[(""[^\]]+"")\]")]
    private static partial Regex JsonLists();

    [GeneratedRegex(@"""([^""]+)""")]
    private static partial Regex Quoted();

    /// <summary>What stands behind the program or the service's name in a command line.</summary>
    [GeneratedRegex(@"^#? *(?:docker compose (?:run --rm|exec) api|docker run [^\n]* halftone:0\.1\.0|(?:sudo [^\n]*)?/opt/halftone/halftone) ([a-z][^\n]*)$", RegexOptions.Multiline)]
    private static partial Regex Lines();

    [GeneratedRegex(@"^x-halftone:[\s\S]*?stop_grace_period: (\d+)s$", RegexOptions.Multiline)]
    private static partial Regex Grace();

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copies();

    [GeneratedRegex(@"\$\{(\w+)")]
    private static partial Regex Variables();
}
