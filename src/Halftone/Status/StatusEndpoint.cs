using System.Security.Cryptography;
using System.Text.Json;
using Halftone.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Status;

/// <summary><c>GET /status/{request_id}</c></summary>
internal static class StatusEndpoint
{
    private const int DefaultLimit = 100;
    private const int LargestLimit = 1_000;

    public static void MapStatus(this IEndpointRouteBuilder routes) => routes.MapGet("/status/{requestId}", GetAsync);

    private static async Task<Results<Ok<RequestStatus>, StatusCodeHttpResult, ProblemHttpResult>> GetAsync(string requestId, Caller caller, HttpContext context, StatusReader reader, CancellationToken cancellationToken)
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

        if (!Guid.TryParseExact(requestId, "D", out var id) || await reader.ReadAsync(caller.Owner, id, (int)limit, cursor, cancellationToken) is not { } status)
        {
            return Problems.UnknownRequest(requestId);
        }

        context.Response.Headers.CacheControl = "private, no-cache";
        return EntityTags.IsUnchanged(context, TagOf(status)) ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Ok(status);
    }

    /// <summary>Over everything but the estimate, which changes with the clock. Weak: the same request at the same point.</summary>
    private static EntityTagHeaderValue TagOf(RequestStatus status)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(status with { Progress = status.Progress with { EtaSeconds = null } }, ApiJson.Default.RequestStatus);
        return new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, 12))}\"", isWeak: true);
    }
}
