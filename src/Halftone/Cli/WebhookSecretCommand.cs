using System.CommandLine;
using Halftone.Database;
using Halftone.Webhooks;

namespace Halftone.Cli;

/// <summary><c>halftone webhook-secret</c>: shows the secret that signs deliveries to an upload's <c>webhook_url</c>.</summary>
internal static class WebhookSecretCommand
{
    public static Command Create()
    {
        var command = new Command(
            "webhook-secret",
            "Shows the secret that signs deliveries to the webhook_url of an upload.") { ServerOptionsOnCommandLine.Data };
        command.SetAction((result, cancellationToken) => DatabaseCommand.RunAsync(
            result,
            async (services, token) =>
            {
                await services.GetRequiredService<Migrator>().MigrateAsync(token);
                Console.WriteLine(await services.GetRequiredService<InstanceSecret>().GetAsync(token));
            },
            mayBegin: false,
            cancellationToken));
        return command;
    }
}
