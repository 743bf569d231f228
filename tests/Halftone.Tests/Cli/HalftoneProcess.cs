using System.Diagnostics;
using System.Globalization;

namespace Halftone.Tests.Cli;

/// <summary>The program itself in a process of its own, with its two streams kept apart.</summary>
internal sealed class HalftoneProcess : IDisposable
{
    /// <summary>The executable that the build put beside these tests.</summary>
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "halftone");

    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> errors;

    private HalftoneProcess(Process process)
    {
        this.process = process;
        output = process.StandardOutput.ReadToEndAsync();
        errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts a verb of the program.</summary>
    // A test run in the background of a shell ignores SIGINT, and so would what it starts: env(1) gives it back, then becomes the program.
    public static HalftoneProcess Start(params string[] arguments) => StartProgram("env", ["--default-signal=INT", Program, .. arguments]);

    /// <summary>The same with variables of the environment, each as <c>NAME=value</c>.</summary>
    public static HalftoneProcess StartWith(IEnumerable<string> variables, params string[] arguments) => StartProgram("env", ["--default-signal=INT", .. variables, Program, .. arguments]);

    /// <summary>The same on a terminal of its own, whose text is the standard output; skips the test where script(1) is missing.</summary>
    public static HalftoneProcess StartOnTerminal(string command)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "script(1) of bsdutils is not installed.");
        return StartProgram("/usr/bin/script", ["-qec", command, "/dev/null"]);
    }

    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var started = Start(arguments);
        return await started.EndAsync();
    }

    public void Interrupt() => Signal("INT");

    public void Kill() => Signal("KILL");

    public async Task<(int ExitCode, string Output, string Errors)> EndAsync()
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private static HalftoneProcess StartProgram(string program, string[] arguments) => new(Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = Path.GetTempPath(),
        Environment = { ["Halftone__Compress__Children"] = "1" },
    })!);

    private void Signal(string name) => Process.Start("kill", ["-s", name, process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
}
