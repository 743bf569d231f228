using System.CommandLine;
using Halftone.Hosting;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Cli;

/// <summary>Shared by the verbs that work on the data folder without a server.</summary>
internal static class DatabaseCommand
{
    /// <param name="result">Names the data folder, unless it is configured.</param>
    /// <param name="work">The work of the verb.</param>
    /// <param name="mayBegin">True to create the database if it is missing. A verb that only reads refuses instead: it
    /// was probably given the wrong folder.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>0, or 1 after one sentence that says what is in the way.</returns>
    public static async Task<int> RunAsync(
        ParseResult result,
        Func<IServiceProvider, CancellationToken, Task> work,
        bool mayBegin,
        CancellationToken cancellationToken)
    {
        try
        {
            var builder = ServerBuilder.Create(ServerOptionsOnCommandLine.ToSettings(result));
            if (!mayBegin)
            {
                ExpectDatabase(builder.Configuration);
            }

            await using var server = ServerBuilder.Build(builder);
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

    /// <summary>Refuses a folder without a database. PostgreSQL reports a wrong name itself.</summary>
    private static void ExpectDatabase(ConfigurationManager configuration)
    {
        // Not from the services, because building the server creates the folder.
        using var folder = new DataFolder(configuration["Data:Folder"] is { Length: > 0 } given ? given : new DataOptions().Folder);
        if (string.IsNullOrEmpty(configuration["Database:ConnectionString"]) && !File.Exists(folder.Database))
        {
            throw new CommandFailedException(
                "no_database",
                $"There is no Halftone database in '{folder.Root}'. Name the server's data folder with --data.");
        }
    }
}
