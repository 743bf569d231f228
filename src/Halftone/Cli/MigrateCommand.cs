using System.CommandLine;
using Halftone.Database;
using Halftone.Hosting;

namespace Halftone.Cli;

/// <summary><c>halftone migrate</c>: updates the database schema to this version without starting a server.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command(
            "migrate",
            "Updates the database schema to this version and exits. 'serve' does this by itself.") { ServerOptionsOnCommandLine.Data };
        command.SetAction((result, cancellationToken) => DatabaseCommand.RunAsync(
            result,
            async (services, token) =>
            {
                await services.GetRequiredService<SoleProcess>().TakeAsync(token);
                var ran = await services.GetRequiredService<Migrator>().MigrateAsync(token);
                Console.WriteLine(ran.Count == 0 ? "The database is up to date." : $"Applied {string.Join(", ", ran)}.");
            },
            mayBegin: true,
            cancellationToken));
        return command;
    }
}
