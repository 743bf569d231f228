using Dapper;
using Halftone.Api.Docs;
using Halftone.Database;
using Halftone.Queue;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary>
/// <c>GET /health/live</c>: the process answers. <c>GET /health/ready</c>: it can do its work; otherwise 503 names the
/// part that is down.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>A key that is never stored: the store only needs to answer that it does not exist.</summary>
    private const string Probe = "health/probe";

    /// <summary>A probe that takes longer has failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", Live).Named("getLive", "Health");
        routes.MapGet("/health/ready", ReadyAsync).Named("getReady", "Health").MayAnswer(ProblemType.NotReady);
    }

    /// <summary>Check whether the process is alive</summary>
    /// <remarks>For the supervisor that restarts the process.</remarks>
    /// <response code="200">The process answers.</response>
    private static Ok<HealthAnswer> Live() => TypedResults.Ok(new HealthAnswer { Status = "live" });

    /// <summary>Check whether the server is ready</summary>
    /// <remarks>Checks the database, the queue and the stores. For load balancers.</remarks>
    /// <response code="200">Everything answers.</response>
    private static async Task<Results<Ok<HealthAnswer>, ProblemHttpResult>> ReadyAsync(
        HalftoneDatabase database,
        IWorkQueue queue,
        IFileStore files,
        IImageStore images,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        foreach (var (name, check) in new (string, Func<Task>)[]
        {
            ("database", () => database.ReadAsync(connection => connection.ExecuteScalarAsync<long>(Sql.Probe), cancellationToken)),
            ("queue", () => queue.CheckAsync(cancellationToken)),
            ("file store", () => files.LengthAsync(Probe, cancellationToken)),
            ("image store", () => images.LengthAsync(Probe, cancellationToken)),
        })
        {
            try
            {
                await check().WaitAsync(Patience, time, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return Problems.Of(ProblemType.NotReady, $"The {name} is not answering.");
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
