using Halftone.Status;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Results;

/// <summary><c>GET /images/{key}</c>: stored images. The key is the capability: 128 random bits, no API key asked.</summary>
internal static class ImageEndpoint
{
    public static void MapImages(this IEndpointRouteBuilder routes) => routes.MapGet("/images/{requestId}/{file}", GetAsync);

    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetAsync(string requestId, string file, HttpContext context, StoredImages images, CancellationToken cancellationToken)
    {
        var key = $"{requestId}/{file}";
        if (!ObjectKey.IsValid(key) || file.EndsWith(FolderStore.PartialExtension, StringComparison.Ordinal) || await images.Store.OpenReadAsync(key, cancellationToken) is not { } stream)
        {
            return Problems.Of(StatusCodes.Status404NotFound, "unknown_image", "There is no such image", "The image's URL is wrong, or its request was deleted.");
        }

        // A key names the same bytes for ever. Nobody may make a browser take them for anything but an image.
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return TypedResults.Stream(stream, FormatName.ContentTypeOf(key));
    }
}
