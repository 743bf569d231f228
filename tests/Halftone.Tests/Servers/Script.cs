using System.ComponentModel;
using System.Diagnostics;

namespace Halftone.Tests.Servers;

/// <summary>
/// Programs that are not .NET, to check ours against. <c>./test</c> installs what they need; without it the test is skipped with the
/// reason.
/// </summary>
internal static class Script
{
    /// <summary>The folder that holds Halftone.slnx.</summary>
    public static string Repository { get; } = FindRepository();

    private static string NodeFolder => Path.Combine(Repository, "tests", "node");

    /// <summary>Runs a file of tests/node to its end and returns its output's lines.</summary>
    public static Task<string[]> NodeAsync(string file, string input, CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync(StartNode([file, .. arguments]), input, cancellationToken);

    /// <summary>Runs a program of an npm package to its end; without success its output is the failure.</summary>
    /// <param name="program">Its file below node_modules.</param>
    /// <param name="arguments">Files are relative to tests/node.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public static Task<string[]> NpmAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        RunAsync(StartNode([Path.Combine("node_modules", program), .. arguments]), "", cancellationToken);

    /// <summary>Runs a file of tests/python to its end and returns its output's lines.</summary>
    public static Task<string[]> PythonAsync(string file, string argument, string input, CancellationToken cancellationToken) =>
        RunAsync(Start("python3", [file, argument], Path.Combine(Repository, "tests", "python")), input, cancellationToken);

    /// <summary>Starts Node with the packages of tests/node at hand and pipes for all three streams.</summary>
    public static Process StartNode(IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(NodeFolder, "node_modules")), "The packages of tests/node are not installed; ./test does it.");
        return Start("node", arguments, NodeFolder, environment);
    }

    private static Process Start(
        string program, IEnumerable<string> arguments, string folder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{program} is not installed; ./test does it.");
            throw;
        }
    }

    private static async Task<string[]> RunAsync(Process process, string input, CancellationToken cancellationToken)
    {
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            Assert.True(process.ExitCode == 0, await output + await errors);
            return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Halftone.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("Tests run inside the repository.");
        }

        return folder.FullName;
    }
}
