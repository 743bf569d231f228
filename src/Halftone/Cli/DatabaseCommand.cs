using System.CommandLine;
using Halftone.Hosting;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Cli;

/// <summary>What the verbs have in common that work on the data folder without a server.</summary>
internal static class DatabaseCommand
{
    /// <param name="result">Names the data folder, or it is configured.</param>
    /// <param name="work">What to do.</param>
    /// <param name="mayBegin">Whether a database is made where there is none. A verb that looks at one has been told another folder than was meant.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>0, or 1 after a sentence on what is in the way.</returns>
    public static async Task<int> RunAsync(ParseResult result, Func<IServiceProvider, CancellationToken, Task> work, bool mayBegin, CancellationToken cancellationToken)
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

    /// <summary>One in PostgreSQL is asked for by its name, which nobody mistypes without hearing of it.</summary>
    private static void ExpectDatabase(ConfigurationManager configuration)
    {
        // Not from the services: the server as it is built makes the folder.
        using var folder = new DataFolder(configuration["Data:Folder"] is { Length: > 0 } given ? given : new DataOptions().Folder);
        if (string.IsNullOrEmpty(configuration["Database:ConnectionString"]) && !File.Exists(folder.Database))
        {
            throw new CommandFailedException("no_database", $"There is no database of Halftone in '{folder.Root}': name the data folder of the server with --data.");
        }
    }
}
