using System.CommandLine;
using Halftone.Database;
using Halftone.Hosting;
using Halftone.Pipeline;

namespace Halftone.Cli;

/// <summary><c>halftone requeue</c>: plans every unfinished request again after the broker lost its queues.</summary>
internal static class RequeueCommand
{
    public static Command Create()
    {
        var command = new Command(
            "requeue",
            "Re-queues unfinished requests after RabbitMQ lost its queues. Old messages are ignored.") { ServerOptionsOnCommandLine.Data };
        command.SetAction((result, cancellationToken) => DatabaseCommand.RunAsync(
            result,
            async (services, token) =>
            {
                // With the queue inside the process, a start plans again by itself, so no server may be running here.
                await services.GetRequiredService<SoleProcess>().TakeAsync(token);
                await services.GetRequiredService<Migrator>().MigrateAsync(token);
                var requests = await services.GetRequiredService<Requeue>().RunAsync(token);
                Console.WriteLine(requests == 1 ? "Re-queued 1 request." : $"Re-queued {requests:N0} requests.");
            },
            mayBegin: false,
            cancellationToken));
        return command;
    }
}
