using Dapper;
using Halftone.Database;
using Halftone.Status;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Health;

/// <summary><c>GET /health/live</c>: the process answers. <c>GET /health/ready</c>: it can do its work; otherwise 503 names what is down.</summary>
internal static class HealthEndpoints
{
    /// <summary>No such object is ever stored: the store need only answer that it has none.</summary>
    private const string Probe = "health/probe";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => TypedResults.Ok(new HealthAnswer("live")));
        routes.MapGet("/health/ready", ReadyAsync);
    }

    private static async Task<Results<Ok<HealthAnswer>, ProblemHttpResult>> ReadyAsync(HalftoneDatabase database, StoredFiles files, StoredImages images, CancellationToken cancellationToken)
    {
        foreach (var (name, check) in new (string, Func<Task>)[]
        {
            ("database", () => database.ReadAsync(connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM id_block"), cancellationToken)),
            ("file store", () => files.Store.LengthAsync(Probe, cancellationToken)),
            ("image store", () => images.Store.LengthAsync(Probe, cancellationToken)),
        })
        {
            try
            {
                await check();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return Problems.Of(StatusCodes.Status503ServiceUnavailable, "not_ready", "Not ready", $"The {name} does not answer.");
            }
        }

        return TypedResults.Ok(new HealthAnswer("ready"));
    }
}

internal sealed record HealthAnswer(string Status);
