using System.CommandLine;
using Halftone.Api;

namespace Halftone.Cli;

/// <summary><c>halftone health</c>: asks the probes, for containers that hold no other client.</summary>
internal static class HealthCommand
{
    private static readonly Option<bool> Ready = new("--ready") { Description = "Ask whether it can do its work (database, queue, stores), and not only whether it answers." };

    public static Command Create() => ClientVerb.With(
        new Command("health", "Asks whether a server answers.") { Ready },
        async (result, client, cancellationToken) =>
        {
            var answer = await client.CallAsync(HttpMethod.Get, result.GetValue(Ready) ? "health/ready" : "health/live", null, ApiJson.Default.HealthAnswer, cancellationToken);
            result.Print(result.GetValue(ClientVerb.Json) ? answer.Json : answer.Value.Status);
            return ExitCode.Done;
        });
}
