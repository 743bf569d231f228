using Dapper;
using Halftone.Access;
using Halftone.Database;
using Halftone.Status;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Results;

/// <summary><c>GET /results/{request_id}.csv</c> and <c>GET /images/{key}</c></summary>
internal static class ResultEndpoints
{
    public static void MapResults(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/results/{requestId}.csv", GetCsvAsync);
        routes.MapGet("/images/{requestId}/{file}", GetImageAsync);
    }

    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetCsvAsync(string requestId, HalftoneDatabase database, StoredFiles files, CancellationToken cancellationToken)
    {
        // The file may be replaced between the two steps by the result of a retry: then its successor is there.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (!Guid.TryParseExact(requestId, "D", out var id)
                || await database.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<ResultRow>(Sql.Result, new { RequestId = id, Owner = AccessGuard.Nobody }), cancellationToken) is not { } row)
            {
                return Problems.UnknownRequest(requestId);
            }

            if (row.ResultKey is null)
            {
                return Problems.Of(StatusCodes.Status409Conflict, "no_result_yet", "There is no result yet", "The images are still being worked on: ask the status until it has a result_url.");
            }

            if (await files.Store.OpenReadAsync(row.ResultKey, cancellationToken) is { } stream)
            {
                return TypedResults.Stream(stream, "text/csv; charset=utf-8", ResultName(row.FileName));
            }
        }

        throw new InvalidOperationException($"The result of request {requestId} is missing.");
    }

    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetImageAsync(string requestId, string file, HttpContext context, StoredImages images, CancellationToken cancellationToken)
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

    /// <summary><c>products.csv</c> becomes <c>products-result.csv</c>.</summary>
    private static string ResultName(string uploadName) => Path.GetFileNameWithoutExtension(uploadName) + "-result.csv";

    private sealed record ResultRow
    {
        public required string FileName { get; init; }
        public string? ResultKey { get; init; }
    }

    private static class Sql
    {
        public const string Result = """
            SELECT file_name AS FileName, result_key AS ResultKey
            FROM   request
            WHERE  request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')
            """;
    }
}
