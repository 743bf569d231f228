using System.CommandLine;
using Microsoft.Extensions.Options;

namespace Halftone.Commands;

/// <summary>What the verbs have in common that work on the data folder without a server.</summary>
internal static class DatabaseCommand
{
    /// <returns>0, or 1 after a sentence on what is in the way.</returns>
    public static async Task<int> RunAsync(ParseResult result, Func<IServiceProvider, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var server = Program.BuildServer(ServeCommand.CreateBuilder(ServerOptionsOnCommandLine.ToSettings(result)));
            server.Services.GetRequiredService<IStartupValidator>().Validate();
            await work(server.Services, cancellationToken);
            return 0;
        }
        catch (Exception exception) when (ServeCommand.Explain(exception) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
    }
}
