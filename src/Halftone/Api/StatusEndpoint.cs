using System.Security.Cryptography;
using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Requests;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api;

/// <summary><c>GET /status/{request_id}</c></summary>
internal static class StatusEndpoint
{
    private const int DefaultLimit = 100;
    private const int LargestLimit = 1_000;

    public static void MapStatus(this IEndpointRouteBuilder routes) => routes.MapGet("/status/{requestId}", GetAsync)
        .Named("getStatus", "Requests")
        .MayAnswer(ProblemType.InvalidLimit, ProblemType.InvalidCursor, ProblemType.UnknownRequest)
        .MayAnswer(ProblemType.OfReading);

    /// <summary>Get the status of a request</summary>
    /// <remarks>Progress, reasons for failed images, and a page of product rows with their input and output URLs.</remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <param name="limit" example="20">Product rows per page; fewer if they have more than 10,000 images and variants in total.</param>
    /// <param name="cursor" example="1002">The `next_cursor` of the previous page. Default: the first page.</param>
    /// <response code="200" headers="ETag">The current status.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    private static async Task<Results<Ok<RequestStatus>, StatusCodeHttpResult, ProblemHttpResult>> GetAsync(
        string requestId,
        [WholeNumber(1, LargestLimit, DefaultLimit)] string? limit,
        string? cursor,
        Caller caller,
        HttpContext context,
        StatusReader reader,
        CancellationToken cancellationToken)
    {
        if (!QueryNumber.TryRead(limit, DefaultLimit, 1, LargestLimit, out var products))
        {
            return Problems.InvalidLimit(limit, LargestLimit);
        }

        if (!QueryNumber.TryRead(cursor, 0, 0, long.MaxValue, out var after))
        {
            return Problems.InvalidCursor();
        }

        if (!Guid.TryParseExact(requestId, "D", out var id)
            || await reader.ReadAsync(caller.Owner, id, (int)products, after, cancellationToken) is not { } status)
        {
            return Problems.UnknownRequest(requestId);
        }

        context.Response.Headers.CacheControl = "private, no-cache";
        return EntityTags.IsUnchanged(context, TagOf(status))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(status);
    }

    /// <summary>
    /// Hash of everything but the estimate, which changes with the clock. A weak tag: the same request at the same
    /// point.
    /// </summary>
    private static EntityTagHeaderValue TagOf(RequestStatus status)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(
            status with { Progress = status.Progress with { EtaSeconds = null } },
            ApiJson.Default.RequestStatus);
        return new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, 12))}\"", isWeak: true);
    }
}
