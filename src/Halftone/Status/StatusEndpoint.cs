using Halftone.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Status;

/// <summary><c>GET /status/{request_id}</c></summary>
internal static class StatusEndpoint
{
    private const int DefaultLimit = 100;
    private const int LargestLimit = 1_000;

    public static void MapStatus(this IEndpointRouteBuilder routes) => routes.MapGet("/status/{requestId}", GetAsync);

    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> GetAsync(string requestId, HttpContext context, StatusReader reader, CancellationToken cancellationToken)
    {
        var query = context.Request.Query;
        if (!QueryNumber.TryRead(query["limit"], DefaultLimit, 1, LargestLimit, out var limit))
        {
            return Problems.InvalidLimit(query["limit"], LargestLimit);
        }

        if (!QueryNumber.TryRead(query["cursor"], 0, 0, long.MaxValue, out var cursor))
        {
            return Problems.InvalidCursor();
        }

        return Guid.TryParseExact(requestId, "D", out var id) && await reader.ReadAsync(AccessGuard.Nobody, id, (int)limit, cursor, cancellationToken) is { } status
            ? TypedResults.Ok(status)
            : Problems.UnknownRequest(requestId);
    }
}
