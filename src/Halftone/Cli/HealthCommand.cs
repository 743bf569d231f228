using System.CommandLine;
using Halftone.Api;

namespace Halftone.Cli;

/// <summary><c>halftone health</c>: calls the health probes, for containers without another HTTP client.</summary>
internal static class HealthCommand
{
    private static readonly Option<bool> Ready = new("--ready")
    {
        Description = "Check whether the server can do its work (database, queue, stores), not only whether it answers.",
    };

    public static Command Create() => ClientVerb.With(
        new Command("health", "Checks whether a server answers.") { Ready },
        async (result, client, cancellationToken) =>
        {
            var answer = await client.CallAsync(
                HttpMethod.Get,
                result.GetValue(Ready) ? "health/ready" : "health/live",
                null,
                ApiJson.Default.HealthAnswer,
                cancellationToken);
            result.Print(result.GetValue(ClientVerb.Json) ? answer.Json : answer.Value.Status);
            return ExitCode.Done;
        });
}
