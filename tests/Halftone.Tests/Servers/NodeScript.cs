using System.Diagnostics;

namespace Halftone.Tests.Servers;

/// <summary>Programs of <c>tests/node</c>, whose packages <c>./test</c> installs. Where they are missing the test is skipped with the reason.</summary>
internal static class NodeScript
{
    /// <summary>The folder that holds Halftone.slnx.</summary>
    public static string Repository { get; } = FindRepository();

    public static string Folder => Path.Combine(Repository, "tests", "node");

    /// <summary>Runs a script to its end and returns its output's lines.</summary>
    public static async Task<string[]> RunAsync(string script, string input, CancellationToken cancellationToken)
    {
        using var process = Start("node", [script], Folder);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Starts a program with pipes for all three streams.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, string folder, params (string Name, string Value)[] environment)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules")), "The packages of tests/node are not installed; ./test does it.");
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

        return Process.Start(start)!;
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
