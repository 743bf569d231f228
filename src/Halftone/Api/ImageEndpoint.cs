using Halftone.Api.Docs;
using Halftone.Model;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api;

/// <summary><c>GET /images/{key}</c>: stored images. The key is a capability of 128 random bits, so no API key is required.</summary>
internal static class ImageEndpoint
{
    private static readonly string[] MediaTypes = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"];

    public static void MapImages(this IEndpointRouteBuilder routes) => routes.MapGet("/images/{requestId}/{file}", GetAsync)
        .Named("getImage", "Results")
        .Produces<Stream>(contentType: MediaTypes[0], additionalContentTypes: MediaTypes[1..])
        .Produces<Stream>(StatusCodes.Status206PartialContent, MediaTypes[0], MediaTypes[1..])
        .MayAnswer(
            ProblemType.UnknownImage,
            ProblemType.PreconditionFailed,
            ProblemType.RangeNotSatisfiable,
            ProblemType.InternalError,
            ProblemType.StoreDown);

    /// <summary>Get an output image</summary>
    /// <remarks>
    /// The URLs in the result lead here. They contain 128 random bits, so no API key is required. The bytes of a URL
    /// never change.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The request that the image belongs to.</param>
    /// <param name="file" example="007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg">The name of the image, as in its URL in the result.</param>
    /// <response code="200" headers="ETag,Cache-Control,Accept-Ranges">The image: JPEG, PNG, WebP, GIF or AVIF, as in
    /// its Content-Type.</response>
    /// <response code="206" headers="ETag,Cache-Control,Content-Range">The bytes in Range.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetAsync(
        string requestId,
        string file,
        HttpContext context,
        IImageStore images,
        CancellationToken cancellationToken)
    {
        var key = $"{requestId}/{file}";
        if (!ObjectKey.IsValid(key) || await images.OpenReadAsync(key, cancellationToken) is not { } stream)
        {
            return Problems.Of(ProblemType.UnknownImage, "Image not found. The URL is wrong, or its request was deleted.");
        }

        // A key names the same bytes forever, and browsers must not treat them as anything but an image.
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return TypedResults.Stream(
            stream,
            FormatName.ContentTypeOf(key),
            entityTag: new EntityTagHeaderValue($"\"{file}\""),
            enableRangeProcessing: true);
    }
}
