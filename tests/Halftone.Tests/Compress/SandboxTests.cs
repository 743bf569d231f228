using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Halftone.Codec;
using Halftone.Codec.Tests.Images;
using Halftone.Compress.Sandbox;
using Halftone.Tests.Servers;

namespace Halftone.Tests.Compress;

/// <summary>The sandbox of codec children, tried from inside by <see cref="CapturedChild"/>, and on real children from outside.</summary>
[SupportedOSPlatform("linux")]
public sealed class SandboxTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Halftone.Hostile.dll");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_child_that_was_taken_over_reaches_no_file_no_socket_no_program_and_no_other_process()
    {
        var outcomes = await AttemptAsync("sandbox");

        Assert.Equal("lacking None", outcomes[1]);
        Assert.Equal(25, outcomes.Length - 2);
        Assert.All(outcomes[2..], outcome => Assert.EndsWith(": refused", outcome, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_sandbox_the_same_attempts_are_allowed()
    {
        var outcomes = await AttemptAsync("none");

        Assert.Contains("read a file: allowed", outcomes);
        Assert.Contains("create a file: allowed", outcomes);
        Assert.Contains("read the environment of a process: allowed", outcomes);
        Assert.Contains("open a socket: allowed", outcomes);
        Assert.Contains("open a socket on an older thread: allowed", outcomes);
        Assert.Contains("connect a socket that is open: errno 111", outcomes);
        Assert.Contains("signal a process: allowed", outcomes);
    }

    [Fact]
    public async Task Landlock_alone_closes_every_path()
    {
        var outcomes = await AttemptAsync("landlock");

        Assert.Equal("installed True", outcomes[1]);
        Assert.Equal(9, outcomes.Length - 3);
        Assert.All(outcomes[2..^1], outcome => Assert.EndsWith(": refused", outcome, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_filter_of_system_calls_alone_refuses_every_attempt()
    {
        var outcomes = await AttemptAsync("seccomp");

        Assert.Equal("installed True", outcomes[1]);
        Assert.All(outcomes[2..], outcome => Assert.EndsWith(": refused", outcome, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_child_closes_what_it_inherited()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var inherited = Path.ChangeExtension(Program, ".deps.json");
        var open = await RunAsync("sh", "-c", $"exec 8<'{inherited}'; exec \"$0\" \"$@\"", Host, Program, "captured", "descriptors");

        Assert.NotEmpty(open);
        Assert.DoesNotContain(open, link => link.EndsWith("Halftone.Hostile.deps.json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_child_has_hard_limits_no_home_and_an_empty_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await using var harness = await PoolHarness.StartAsync(options => options.MaxChildBytes = 512 << 20);
        var child = Assert.Single(harness.Pool.Children);

        var status = await ReadAsync(child, "status");
        var limits = (await ReadAsync(child, "limits")).Split('\n');
        Assert.Contains("NoNewPrivs:\t1", status);
        Assert.Contains("Seccomp:\t2", status);
        Assert.Equal(["536870912", "536870912"], Limit("Max data size"));
        Assert.Equal(["0", "0"], Limit("Max file size"));
        Assert.Equal(["0", "0"], Limit("Max core file size"));
        Assert.All(Limit("Max open files"), value => Assert.InRange(int.Parse(value, CultureInfo.InvariantCulture), 3, 200));
        Assert.All(Limit("Max processes"), value => Assert.True(int.TryParse(value, CultureInfo.InvariantCulture, out _)));
        if (!Environment.IsPrivilegedProcess)
        {
            // The kernel keeps these two from all but root.
            Assert.ThrowsAny<UnauthorizedAccessException>(() => File.ReadAllText($"/proc/{child}/environ"));
            return;
        }

        Assert.DoesNotContain("HOME=", await ReadAsync(child, "environ"));
        Assert.EndsWith(" (deleted)", new FileInfo($"/proc/{child}/cwd").LinkTarget, StringComparison.Ordinal);

        string[] Limit(string name) =>
            limits.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..]
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2];
    }

    [Fact]
    public async Task Every_format_is_read_and_written_in_the_sandbox()
    {
        await using var harness = await PoolHarness.StartAsync();
        var child = Assert.Single(harness.Pool.Children);
        var picture = PngFile.Noise(96, 64);
        foreach (var format in (ImageFormat[])[ImageFormat.Jpeg, ImageFormat.Png, ImageFormat.Webp, ImageFormat.Gif, ImageFormat.Avif])
        {
            var output = Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(picture, format));
            Assert.Equal(format, output.Format);
            Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(output.Body.ToArray()));
            Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(output.Body.ToArray(), ImageFormat.Webp));
            // Errors take ways of their own, through the runtime's unwinder.
            Assert.IsType<CodecResult.Refused>(await harness.CompressAsync(output.Body.ToArray()[..(output.Body.Length / 2)]));
        }

        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(TiffFile.Write(8, 8, 3, 8, new byte[192])));
        Assert.Equal((child, 0), (Assert.Single(harness.Pool.Children), harness.Pool.Restarts));
    }

    [Fact]
    public async Task A_child_keeps_nothing_of_a_file_that_it_was_sent()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "root alone reads the memory of a child");
        await using var harness = await PoolHarness.StartAsync();
        var child = Assert.Single(harness.Pool.Children);
        var file = new byte[100_000];
        "II*\0"u8.CopyTo(file);
        // Not a constant: the text must not be in the program that is searched.
        var marker = "one owner's picture"u8.ToArray().Reverse().ToArray();
        marker.CopyTo(file, 90_000);

        Assert.IsType<CodecResult.Refused>(await harness.CompressAsync(file));
        Assert.IsType<CodecResult.Compressed>(await harness.CompressAsync(PngFile.Noise(40, 30)));

        Assert.Equal(child, Assert.Single(harness.Pool.Children));
        Assert.True(IsInMemory(child, "MALLOC_ARENA_MAX"u8));
        Assert.False(IsInMemory(child, marker));
    }

    [Fact]
    public async Task The_start_says_once_what_the_sandbox_lacks()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "takes Landlock away by a filter");
        var said = await RunAsync(Host, Program, "captured", "without-landlock", "auto");

        Assert.Equal(("installed True", "started"), (said[0], said.Single(line => line == "started")));
        var line = Assert.Single(said, line => line.Contains("[623]", StringComparison.Ordinal));
        Assert.EndsWith(
            "The sandbox of codec processes lacks Landlock (Linux 5.13 or newer) on this system; "
                + "Compress:Sandbox=required would not start",
            line,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_required_sandbox_that_lacks_a_part_stops_the_start()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "takes Landlock away by a filter");
        var said = await RunAsync(Host, Program, "captured", "without-landlock", "required");

        Assert.Equal(
            [
                "installed True",
                "Compress:Sandbox is 'required', and on this system the sandbox of codec processes lacks Landlock (Linux 5.13 or newer). "
                    + "Use a kernel and a container that allow it, or set Compress:Sandbox=auto.",
            ],
            said);
    }

    [Fact]
    public async Task The_servers_memory_and_environment_are_closed_to_other_processes_of_its_user()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "PR_SET_DUMPABLE");
        await using var server = await HalftoneServer.StartAsync(Cancelled);

        Assert.False(Kernel.IsMemoryOpen);
    }

    private static string Host => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    /// <summary>The lines of a captured child that attacks a process of our own user.</summary>
    private static async Task<string[]> AttemptAsync(string part)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone has this sandbox");
        Assert.SkipUnless(part is not ("sandbox" or "landlock") || Landlock.Abi > 0, "This kernel has no Landlock.");
        using var victim = Process.Start("sleep", ["600"]);
        var folder = Directory.CreateTempSubdirectory("halftone-captured-").FullName;
        try
        {
            var file = Path.Combine(folder, "secret");
            await File.WriteAllTextAsync(file, "secret", Cancelled);
            return await RunAsync(Host, Program, "captured", part, victim.Id.ToString(CultureInfo.InvariantCulture), file);
        }
        finally
        {
            victim.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string[]> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);
        Assert.Equal(0, process.ExitCode);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Task<string> ReadAsync(int process, string file) => File.ReadAllTextAsync($"/proc/{process}/{file}", Cancelled);

    /// <summary>Searches what a process may write to; see proc_pid_maps(5).</summary>
    private static bool IsInMemory(int process, ReadOnlySpan<byte> text)
    {
        using var memory = File.OpenHandle($"/proc/{process}/mem");
        var lines = File.ReadAllLines($"/proc/{process}/maps");
        foreach (var line in lines.Where(line => line.Split(' ')[1].StartsWith("rw", StringComparison.Ordinal)))
        {
            var range = line.Split(' ')[0].Split('-').Select(address => Convert.ToInt64(address, 16)).ToArray();
            var part = new byte[Math.Min(range[1] - range[0], 256 << 20)];
            try
            {
                if (part.AsSpan(0, RandomAccess.Read(memory, part, range[0])).IndexOf(text) >= 0)
                {
                    return true;
                }
            }
            catch (IOException)
            {
                // Reserved, and nothing there.
            }
        }

        return false;
    }
}
