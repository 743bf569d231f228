using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Halftone.Tests.Compress;

/// <summary>The whole program, started as a user starts it, and what becomes of its codec children.</summary>
public sealed class ProgramChildrenTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("halftone-children-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_killed_server_leaves_no_child_behind()
    {
        using var server = await StartAsync();
        var children = ChildrenOf(server.Id);
        Assert.Equal(Environment.ProcessorCount, children.Length);

        PoolHarness.Kill(server.Id);

        await Eventually.TrueAsync(() => !children.Any(PoolHarness.IsAlive));
    }

    [Fact]
    public async Task Ctrl_C_to_the_whole_group_ends_the_server_in_order_and_its_children_with_it()
    {
        using var server = await StartAsync();
        var children = ChildrenOf(server.Id);
        foreach (var child in children)
        {
            PoolHarness.Signal(child, PosixSignal.SIGINT);
        }

        PoolHarness.Signal(server.Id, PosixSignal.SIGINT);

        await server.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (server.ExitCode, await server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
        Assert.DoesNotContain(children, PoolHarness.IsAlive);
    }

    [Fact]
    public async Task Without_libvips_the_program_says_what_is_missing_and_ends()
    {
        var copy = Directory.CreateDirectory(Path.Combine(folder, "program")).FullName;
        var sqlite = Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "runtimes"), "*e_sqlite3.*", SearchOption.AllDirectories);
        var files = Directory.EnumerateFiles(AppContext.BaseDirectory).Where(file => !file.EndsWith(".deps.json", StringComparison.Ordinal));
        foreach (var file in files.Concat(sqlite))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        using var server = Start(copy);
        var errors = server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var isUp = await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is not null;
        if (isUp)
        {
            PoolHarness.Kill(server.Id);
        }

        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(isUp, "This system has a libvips that serves.");
        Assert.Equal(1, server.ExitCode);
        Assert.Matches("^libvips (was not found: the program brings it for|[0-9.]+ of this system is too old: install)", await errors);
    }

    private async Task<Process> StartAsync()
    {
        var server = Start(AppContext.BaseDirectory, ("Halftone__Logging__LogLevel__Default", "Error"));
        var line = await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("Halftone listens on", line, StringComparison.Ordinal);
        return server;
    }

    private Process Start(string program, params (string Name, string Value)[] environment)
    {
        var host = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet");
        // A test run in the background of a shell ignores SIGINT, and so would what it starts: env(1) gives it back, then becomes the program.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", host, Path.Combine(program, "halftone.dll"), "serve", "--urls", "http://127.0.0.1:0", "--data", folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    // By thread: whichever of the parent's started it.
    private static int[] ChildrenOf(int processId) =>
        [.. Directory.GetDirectories($"/proc/{processId}/task")
            .SelectMany(thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(child => int.Parse(child, CultureInfo.InvariantCulture))];
}
