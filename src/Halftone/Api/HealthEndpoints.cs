using Dapper;
using Halftone.Api.Docs;
using Halftone.Database;
using Halftone.Queue;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary><c>GET /health/live</c>: the process answers. <c>GET /health/ready</c>: it can do its work; otherwise 503 names what is down.</summary>
internal static class HealthEndpoints
{
    /// <summary>No such object is ever stored: the store need only answer that it has none.</summary>
    private const string Probe = "health/probe";

    /// <summary>A probe that hangs is a probe that failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", Live).Named("getLive", "Health");
        routes.MapGet("/health/ready", ReadyAsync).Named("getReady", "Health").MayAnswer(ProblemType.NotReady);
    }

    /// <summary>Is the process alive?</summary>
    /// <remarks>For the supervisor that restarts it.</remarks>
    /// <response code="200">It answers.</response>
    private static Ok<HealthAnswer> Live() => TypedResults.Ok(new HealthAnswer { Status = "live" });

    /// <summary>Can the server do its work?</summary>
    /// <remarks>Asks the database, the queue and the stores. For the balancer that sends calls to it.</remarks>
    /// <response code="200">Everything answers.</response>
    private static async Task<Results<Ok<HealthAnswer>, ProblemHttpResult>> ReadyAsync(HalftoneDatabase database, IWorkQueue queue, StoredFiles files, StoredImages images, TimeProvider time, CancellationToken cancellationToken)
    {
        foreach (var (name, check) in new (string, Func<Task>)[]
        {
            ("database", () => database.ReadAsync(connection => connection.ExecuteScalarAsync<long>(Sql.Probe), cancellationToken)),
            ("queue", () => queue.CheckAsync(cancellationToken)),
            ("file store", () => files.Store.LengthAsync(Probe, cancellationToken)),
            ("image store", () => images.Store.LengthAsync(Probe, cancellationToken)),
        })
        {
            try
            {
                await check().WaitAsync(Patience, time, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return Problems.Of(ProblemType.NotReady, $"The {name} does not answer.");
            }
        }

        return TypedResults.Ok(new HealthAnswer { Status = "ready" });
    }

    private static class Sql
    {
        public const string Probe = "SELECT count(*) FROM id_block";
    }
}

/// <summary>The answer of a probe.</summary>
internal sealed record HealthAnswer
{
    /// <summary>`live` or `ready`.</summary>
    /// <example>ready</example>
    public required string Status { get; init; }
}
