using System.CommandLine;

namespace Halftone.Tests.Cli;

/// <summary>What a verb printed, and how it ended.</summary>
internal sealed record VerbResult(int ExitCode, string Output, string Errors)
{
    public string[] Lines => Output.TrimEnd('\n').Split('\n');
}

/// <summary>Runs a verb of the program in this process, as the shell would.</summary>
internal static class Verb
{
    public static Task<VerbResult> RunAsync(params string[] arguments) => RunUntilAsync(TestContext.Current.CancellationToken, arguments);

    /// <param name="interrupt">Like Ctrl-C.</param>
    /// <param name="arguments">The command line.</param>
    public static async Task<VerbResult> RunUntilAsync(CancellationToken interrupt, params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var errors = new StringWriter();
        var exitCode = await Program.InvokeAsync(arguments, new InvocationConfiguration { Output = TextWriter.Synchronized(output), Error = TextWriter.Synchronized(errors), ProcessTerminationTimeout = null }, interrupt);
        return new VerbResult(exitCode, output.ToString(), errors.ToString());
    }
}
