using Halftone.Api.Docs;
using Halftone.Model;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api;

/// <summary><c>GET /images/{key}</c>: stored images. The key is the capability: 128 random bits, no API key asked.</summary>
internal static class ImageEndpoint
{
    private static readonly string[] MediaTypes = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"];

    public static void MapImages(this IEndpointRouteBuilder routes) => routes.MapGet("/images/{requestId}/{file}", GetAsync)
        .Named("getImage", "Results")
        .Produces<Stream>(contentType: MediaTypes[0], additionalContentTypes: MediaTypes[1..])
        .Produces<Stream>(StatusCodes.Status206PartialContent, MediaTypes[0], MediaTypes[1..])
        .MayAnswer(ProblemType.UnknownImage, ProblemType.PreconditionFailed, ProblemType.RangeNotSatisfiable, ProblemType.InternalError, ProblemType.StoreDown);

    /// <summary>An output image</summary>
    /// <remarks>The URLs in the result lead here. They hold 128 random bits, so no API key is asked; the bytes behind one never change.</remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The request whose image it is.</param>
    /// <param name="file" example="007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg">The image's name, as the result's URL has it.</param>
    /// <response code="200" headers="ETag,Cache-Control,Accept-Ranges">The image; JPEG, PNG, WebP, GIF or AVIF, as its Content-Type says.</response>
    /// <response code="206" headers="ETag,Cache-Control,Content-Range">The bytes that Range asks for.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer whose ETag was sent in If-None-Match.</response>
    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetAsync(string requestId, string file, HttpContext context, StoredImages images, CancellationToken cancellationToken)
    {
        var key = $"{requestId}/{file}";
        if (!ObjectKey.IsValid(key) || file.EndsWith(FolderStore.PartialExtension, StringComparison.Ordinal) || await images.Store.OpenReadAsync(key, cancellationToken) is not { } stream)
        {
            return Problems.Of(ProblemType.UnknownImage, "The image's URL is wrong, or its request was deleted.");
        }

        // A key names the same bytes for ever. Nobody may make a browser take them for anything but an image.
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return TypedResults.Stream(stream, FormatName.ContentTypeOf(key), entityTag: new EntityTagHeaderValue($"\"{file}\""), enableRangeProcessing: true);
    }
}
