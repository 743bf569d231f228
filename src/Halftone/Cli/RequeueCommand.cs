using System.CommandLine;
using Halftone.Database;
using Halftone.Hosting;
using Halftone.Pipeline;

namespace Halftone.Cli;

/// <summary><c>halftone requeue</c>: after a broker was lost with its queues, every unfinished request is planned again.</summary>
internal static class RequeueCommand
{
    public static Command Create()
    {
        var command = new Command("requeue", "Plans every unfinished request again, for a RabbitMQ that lost its queues. Messages of before change nothing any more.") { ServerOptionsOnCommandLine.Data };
        command.SetAction((result, cancellationToken) => DatabaseCommand.RunAsync(
            result,
            async (services, token) =>
            {
                // With the queue inside the process, a start plans again by itself: then nobody may be at work here.
                await services.GetRequiredService<SoleProcess>().TakeAsync(token);
                await services.GetRequiredService<Migrator>().MigrateAsync(token);
                var requests = await services.GetRequiredService<Requeue>().RunAsync(token);
                Console.WriteLine(requests == 1 ? "1 request was planned again." : $"{requests:N0} requests were planned again.");
            },
            mayBegin: false,
            cancellationToken));
        return command;
    }
}
