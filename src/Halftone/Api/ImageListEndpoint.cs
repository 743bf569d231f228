using System.Globalization;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Results;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary><c>GET /requests/{request_id}/images</c>: what a contact sheet is made of, from any place of it.</summary>
internal static class ImageListEndpoint
{
    private const int DefaultLimit = 100;
    private const int LargestLimit = 500;

    public static void MapImageList(this IEndpointRouteBuilder routes) => routes.MapGet("/requests/{requestId}/images", GetAsync)
        .Named("listImages", "Requests")
        .MayAnswer(ProblemType.InvalidStatus, ProblemType.InvalidLimit, ProblemType.InvalidCursor, ProblemType.UnknownRequest)
        .MayAnswer(ProblemType.OfReading);

    /// <summary>Images of a request</summary>
    /// <remarks>
    /// A page of its images in the order of the file, each with all that is known of it, also while the request runs. The cursor is a number, so a page can be
    /// had from anywhere.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">As the upload answered it.</param>
    /// <param name="status" example="failed">Only those that are `pending`, `completed` or `failed`, in any case; without it all of them.</param>
    /// <param name="limit" example="20">Images on the page.</param>
    /// <param name="cursor" example="100">How many of these images come before the page: the `next_cursor` of the page before, or any whole number; without it the first page.</param>
    /// <response code="200">A page of images.</response>
    private static async Task<Results<Ok<ImageList>, ProblemHttpResult>> GetAsync(
        string requestId, string? status, [WholeNumber(1, LargestLimit, DefaultLimit)] string? limit, string? cursor, Caller caller, HttpContext context, ImageLines images, CancellationToken cancellationToken)
    {
        var state = status?.ToLowerInvariant();
        if (state is not (null or "pending" or "completed" or "failed"))
        {
            return Problems.Of(ProblemType.InvalidStatus, "'status' must be pending, completed or failed; without it all images are listed.");
        }

        if (!QueryNumber.TryRead(limit, DefaultLimit, 1, LargestLimit, out var most))
        {
            return Problems.InvalidLimit(limit, LargestLimit);
        }

        if (!QueryNumber.TryRead(cursor, 0, 0, int.MaxValue, out var skip))
        {
            return Problems.InvalidCursor();
        }

        if (!Guid.TryParseExact(requestId, "D", out var id) || await images.PageAsync(caller.Owner, id, state, skip, (int)most, cancellationToken) is not { } page)
        {
            return Problems.UnknownRequest(requestId);
        }

        context.Response.Headers.CacheControl = "private, no-cache";
        return TypedResults.Ok(new ImageList
        {
            Images = page,
            NextCursor = page.Count == most ? (skip + most).ToString(CultureInfo.InvariantCulture) : null,
        });
    }
}

/// <summary>A page of a request's images.</summary>
internal sealed record ImageList
{
    /// <summary>The page, in the order of the file.</summary>
    public required IReadOnlyList<ImageLine> Images { get; init; }

    /// <summary>Ask again with `cursor` set to this for the next page; absent on the last.</summary>
    /// <example>120</example>
    public string? NextCursor { get; init; }
}
