using Dapper;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Csv;
using Halftone.Database;
using Halftone.Model;
using Halftone.Results;
using Halftone.Store;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api;

/// <summary>
/// <c>GET /results/{request_id}.csv</c>: the uploaded file with its results; <c>.ndjson</c>: one line per image;
/// <c>/failed.csv</c>: the failed rows, ready to be fixed and uploaded. All three exist once the first run has ended.
/// </summary>
internal static class ResultEndpoints
{
    public static void MapResults(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/results/{requestId}.csv", GetCsvAsync).Named("getResultCsv", "Results")
            .Produces<string>(contentType: "text/csv")
            .Produces<string>(StatusCodes.Status206PartialContent, "text/csv")
            .MayAnswer(
                ProblemType.UnknownRequest,
                ProblemType.NoResultYet,
                ProblemType.PreconditionFailed,
                ProblemType.RangeNotSatisfiable,
                ProblemType.StoreDown)
            .MayAnswer(ProblemType.OfReading);
        routes.MapGet("/results/{requestId}.ndjson", GetLinesAsync).Named("getResultLines", "Results")
            .Produces<ImageLine>(contentType: "application/x-ndjson")
            .MayAnswer(ProblemType.UnknownRequest, ProblemType.NoResultYet)
            .MayAnswer(ProblemType.OfReading);
        routes.MapGet("/results/{requestId}/failed.csv", GetFailedAsync).Named("getFailedCsv", "Results")
            .Produces<string>(contentType: "text/csv")
            .MayAnswer(ProblemType.UnknownRequest, ProblemType.NoResultYet, ProblemType.StoreDown)
            .MayAnswer(ProblemType.OfReading);
    }

    /// <summary>Get the result CSV</summary>
    /// <remarks>
    /// The uploaded file, byte for byte, plus the columns `Output Image Urls` and `Image Errors`. The n-th output URL
    /// belongs to the n-th input URL; a failed image leaves its place empty. Delimiter, encoding and line endings stay
    /// those of the upload.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200" headers="ETag,Content-Disposition,Accept-Ranges">The file. Its charset is in the Content-Type.</response>
    /// <response code="206" headers="ETag,Content-Disposition,Content-Range">The bytes in Range.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    /// <example>
    /// S. No.,Product Name,Input Image Urls,Output Image Urls,Image Errors
    /// 007,Stoneware Mug,"https://shop.example/mug-front.jpg,https://shop.example/mug-gone.jpg",\
    /// "https://halftone.example.com/images/0192f0c1-7a3e-7bbb-8c4d-0123456789ab/007-1-31UE8vDGmb3CkNq5Xw0eAg.jpg,",2: http_404
    /// </example>
    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> GetCsvAsync(
        string requestId,
        Caller caller,
        HttpContext context,
        ResultFinder finder,
        IFileStore files,
        CancellationToken cancellationToken)
    {
        // A retry may replace the file between the two steps; then read its successor.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var (found, problem) = await finder.FindAsync(caller.Owner, requestId, ofRows: false, cancellationToken);
            if (found is null)
            {
                return problem!;
            }

            if (await files.OpenReadAsync(found.ResultKey!, cancellationToken) is { } stream)
            {
                Revalidate(context);
                return TypedResults.Stream(
                    stream,
                    found.CsvType,
                    found.NameWith("-result.csv"),
                    entityTag: found.Tag("csv"),
                    enableRangeProcessing: true);
            }
        }

        throw new InvalidOperationException($"The result of request {requestId} is missing.");
    }

    /// <summary>Get details of every image</summary>
    /// <remarks>
    /// Newline-delimited JSON in file order with all details of each image, including sizes, hash and the milliseconds
    /// of each stage.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200" headers="ETag,Content-Disposition">One JSON object per line.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    private static async Task<Results<PushStreamHttpResult, StatusCodeHttpResult, ProblemHttpResult>> GetLinesAsync(
        string requestId, Caller caller, HttpContext context, ResultFinder finder, ImageLines lines, CancellationToken cancellationToken)
    {
        var (found, problem) = await finder.FindAsync(caller.Owner, requestId, ofRows: true, cancellationToken);
        return found is null ? problem!
            : IsUnchanged(context, found.Tag("ndjson")) ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Stream(
                destination => lines.WriteAsync(found.FirstImageId, found.Images, destination, cancellationToken),
                "application/x-ndjson",
                found.NameWith("-result.ndjson"));
    }

    /// <summary>Get the failed rows</summary>
    /// <remarks>
    /// The rows with failed images in the format of the upload, with only the failed URLs in the cell. Fix them and
    /// upload the file again.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200" headers="ETag,Content-Disposition">The file. If no image failed, it has only the header.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    /// <example>
    /// S. No.,Product Name,Input Image Urls
    /// 007,Stoneware Mug,https://shop.example/mug-gone.jpg
    /// </example>
    private static async Task<Results<PushStreamHttpResult, StatusCodeHttpResult, ProblemHttpResult>> GetFailedAsync(
        string requestId,
        Caller caller,
        HttpContext context,
        ResultFinder finder,
        ResultImages images,
        IFileStore files,
        CancellationToken cancellationToken)
    {
        var (found, problem) = await finder.FindAsync(caller.Owner, requestId, ofRows: true, cancellationToken);
        return found is null ? problem!
            : IsUnchanged(context, found.Tag("failed")) ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Stream(WriteAsync, found.CsvType, found.NameWith("-failed.csv"));

        async Task WriteAsync(Stream destination)
        {
            await using var upload = await files.OpenReadAsync(found.UploadKey, cancellationToken)
                ?? throw new InvalidOperationException($"The upload of request {requestId} is missing.");
            await FailedCsv.WriteAsync(
                upload,
                CsvDialect.Parse(found.Dialect),
                destination,
                images.ReadAsync(found.FirstImageId, found.Images, [], cancellationToken),
                cancellationToken);
        }
    }

    private static void Revalidate(HttpContext context) => context.Response.Headers.CacheControl = "private, no-cache";

    private static bool IsUnchanged(HttpContext context, EntityTagHeaderValue tag)
    {
        Revalidate(context);
        return EntityTags.IsUnchanged(context, tag);
    }
}

/// <summary>The row that the result files of a request are made from.</summary>
internal sealed record FoundResult
{
    public required string FileName { get; init; }
    public string? ResultKey { get; init; }
    public required RequestState State { get; init; }
    public required string UploadKey { get; init; }
    public required string Dialect { get; init; }
    public required long FirstImageId { get; init; }
    public required long Images { get; init; }

    /// <summary>Each run draws a new random result key, so it is a strong validator of everything made with it.</summary>
    public EntityTagHeaderValue Tag(string kind) =>
        new($"\"{ResultKey![(ResultKey!.LastIndexOf('-') + 1)..].Replace(".csv", "", StringComparison.Ordinal)}-{kind}\"");

    public string NameWith(string ending) => ResultName.Of(FileName, ending);

    public string CsvType => CsvDialect.Parse(Dialect).Encoding switch
    {
        CsvEncoding.Utf16Le or CsvEncoding.Utf16Be => "text/csv; charset=utf-16",
        CsvEncoding.Windows1252 => "text/csv; charset=windows-1252",
        _ => "text/csv; charset=utf-8",
    };
}

/// <summary>Names of result files.</summary>
internal static class ResultName
{
    /// <summary>
    /// With the suffix <c>-result.csv</c>, <c>products.csv</c> and <c>products.csv.gz</c> become
    /// <c>products-result.csv</c>.
    /// </summary>
    public static string Of(string fileName, string ending)
    {
        var plain = fileName.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? fileName[..^3] : fileName;
        return Path.GetFileNameWithoutExtension(plain) + ending;
    }
}

internal sealed class ResultFinder(HalftoneDatabase database)
{
    /// <returns>The result, or the answer that explains why there is none.</returns>
    public async Task<(FoundResult? Found, ProblemHttpResult? Problem)> FindAsync(
        string owner,
        string requestId,
        bool ofRows,
        CancellationToken cancellationToken)
    {
        var found = Guid.TryParseExact(requestId, "D", out var id)
            ? await database.ReadAsync(
                connection => connection.QuerySingleOrDefaultAsync<FoundResult>(Sql.Result, new { RequestId = id, Owner = owner }),
                cancellationToken)
            : null;
        return found switch
        {
            null => (null, Problems.UnknownRequest(requestId)),
            { ResultKey: null } => (null, NotYet()),
            // Files made from the rows make no sense while a retry changes them; the CSV of the previous run is a file and stays available.
            { } running when ofRows && !running.State.HasEnded => (null, NotYet()),
            _ => (found, null),
        };
    }

    private static ProblemHttpResult NotYet() =>
        Problems.Of(ProblemType.NoResultYet, "The images are still being processed. Poll the status until the request has ended.");

    private static class Sql
    {
        public const string Result = """
            SELECT file_name, state, result_key, upload_key, dialect, first_image_id, images
            FROM   request
            WHERE  request_id = @RequestId AND owner = @Owner AND state NOT IN ('receiving', 'deleting')
            """;
    }
}
