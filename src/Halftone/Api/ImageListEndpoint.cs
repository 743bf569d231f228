using System.Globalization;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Model;
using Halftone.Results;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary><c>GET /requests/{request_id}/images</c>: pages of images for a contact sheet, starting anywhere.</summary>
internal static class ImageListEndpoint
{
    private const int DefaultLimit = 100;
    private const int LargestLimit = 500;

    public static void MapImageList(this IEndpointRouteBuilder routes) => routes.MapGet("/requests/{requestId}/images", GetAsync)
        .Named("listImages", "Requests")
        .MayAnswer(ProblemType.InvalidStatus, ProblemType.InvalidLimit, ProblemType.InvalidCursor, ProblemType.UnknownRequest)
        .MayAnswer(ProblemType.OfReading);

    /// <summary>List the images of a request</summary>
    /// <remarks>
    /// A page of images in file order with all details of each, also while the request runs. The cursor is a number, so
    /// a page can start anywhere.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <param name="status" example="failed">Only images that are `pending`, `completed` or `failed`; case does not
    /// matter. Default: all.</param>
    /// <param name="limit" example="20">Images per page.</param>
    /// <param name="cursor" example="100">Number of images to skip: the `next_cursor` of the previous page, or any
    /// whole number. Default: the first page.</param>
    /// <response code="200">A page of images.</response>
    private static async Task<Results<Ok<ImageList>, ProblemHttpResult>> GetAsync(
        string requestId,
        string? status,
        [WholeNumber(1, LargestLimit, DefaultLimit)] string? limit,
        string? cursor,
        Caller caller,
        HttpContext context,
        ImageLines images,
        CancellationToken cancellationToken)
    {
        var state = status is null ? null : ImageState.Of(status);
        if (status is not null && state is null)
        {
            return Problems.Of(
                ProblemType.InvalidStatus,
                "'status' must be pending, completed or failed. Leave it out to list all images.");
        }

        if (!QueryNumber.TryRead(limit, DefaultLimit, 1, LargestLimit, out var most))
        {
            return Problems.InvalidLimit(limit, LargestLimit);
        }

        if (!QueryNumber.TryRead(cursor, 0, 0, int.MaxValue, out var skip))
        {
            return Problems.InvalidCursor();
        }

        if (!Guid.TryParseExact(requestId, "D", out var id)
            || await images.PageAsync(caller.Owner, id, state, skip, (int)most, cancellationToken) is not { } page)
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
    /// <summary>The images, in file order.</summary>
    public required IReadOnlyList<ImageLine> Images { get; init; }

    /// <summary>Value of `cursor` for the next page; absent on the last page.</summary>
    /// <example>120</example>
    public string? NextCursor { get; init; }
}
