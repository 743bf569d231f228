using System.CommandLine;
using Halftone.Database;
using Halftone.Store;
using Microsoft.Extensions.Options;

namespace Halftone.Commands;

/// <summary><c>halftone migrate</c>: brings the database up to this version without starting a server.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command("migrate", "Brings the database up to this version and ends; serve does so by itself.");
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        try
        {
            await using var server = Program.BuildServer(ServeCommand.CreateBuilder(ServerOptionsOnCommandLine.ToSettings(result)));
            server.Services.GetRequiredService<IStartupValidator>().Validate();
            using var folder = server.Services.GetRequiredService<DataFolder>();
            var ran = await server.Services.GetRequiredService<Migrator>().MigrateAsync(cancellationToken);
            Console.WriteLine(ran.Count == 0 ? "The database is up to date." : $"Applied {string.Join(", ", ran)}.");
            return 0;
        }
        catch (Exception exception) when (ServeCommand.Explain(exception) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
    }
}
