using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Dapper;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Database;
using Halftone.Model;
using Halftone.Requests;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary>
/// <c>GET /requests</c>, <c>POST /requests/{id}/cancel</c>, <c>POST /requests/{id}/retry</c>,
/// <c>DELETE /requests/{id}</c>
/// </summary>
internal static class RequestEndpoints
{
    private const int DefaultLimit = 50;
    private const int LargestLimit = 500;

    public static void MapRequests(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/requests", ListAsync).Named("listRequests", "Requests")
            .MayAnswer(ProblemType.InvalidLimit, ProblemType.InvalidCursor)
            .MayAnswer(ProblemType.OfReading);
        routes.MapPost("/requests/{requestId}/cancel", CancelAsync).Named("cancelRequest", "Requests")
            .MayAnswer(ProblemType.UnknownRequest, ProblemType.AlreadyFinished)
            .MayAnswer(ProblemType.OfWriting);
        routes.MapPost("/requests/{requestId}/retry", RetryAsync).Named("retryRequest", "Requests")
            .MayAnswer(ProblemType.UnknownRequest, ProblemType.StillRunning, ProblemType.NothingToRetry)
            .MayAnswer(ProblemType.OfWriting);
        routes.MapDelete("/requests/{requestId}", DeleteAsync).Named("deleteRequest", "Requests")
            .MayAnswer(ProblemType.UnknownRequest)
            .MayAnswer(ProblemType.OfWriting);
    }

    /// <summary>List requests</summary>
    /// <remarks>The caller's requests, newest first, without their products.</remarks>
    /// <param name="limit" example="20">Requests per page.</param>
    /// <param name="cursor" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `next_cursor` of the previous page.
    /// Default: the first page.</param>
    /// <response code="200">A page of requests.</response>
    private static async Task<Results<Ok<RequestList>, ProblemHttpResult>> ListAsync(
        [WholeNumber(1, LargestLimit, DefaultLimit)] string? limit,
        string? cursor,
        Caller caller,
        HalftoneDatabase database,
        PublicUrls urls,
        CancellationToken cancellationToken)
    {
        if (!QueryNumber.TryRead(limit, DefaultLimit, 1, LargestLimit, out var most))
        {
            return Problems.InvalidLimit(limit, LargestLimit);
        }

        var before = Guid.AllBitsSet;
        if (!string.IsNullOrEmpty(cursor) && !Guid.TryParseExact(cursor, "D", out before))
        {
            return Problems.InvalidCursor();
        }

        var rows = (
            await database.ReadAsync(
                connection => connection.QueryAsync<Row>(Sql.Newest, new { Owner = caller.Owner, Before = before, Limit = most }),
                cancellationToken)).AsList();
        return TypedResults.Ok(new RequestList
        {
            Requests = [.. rows.Select(row => row.ToWire(urls))],
            NextCursor = rows.Count == most ? rows[^1].RequestId.ToString("D", CultureInfo.InvariantCulture) : null,
        });
    }

    /// <summary>Cancel a request</summary>
    /// <remarks>Stops taking images and writes the result of those done, within about 3 s. A second cancel changes nothing.</remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200">The request is stopping; its status becomes CANCELLED when it has stopped.</response>
    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> CancelAsync(
        string requestId,
        Caller caller,
        RequestActions actions,
        StatusReader reader,
        CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id)
            ? await AnswerAsync(
                await actions.CancelAsync(caller.Owner, id, cancellationToken),
                id,
                ProblemType.AlreadyFinished,
                "The request has already ended, so there is nothing to cancel.",
                reader,
                caller,
                cancellationToken)
            : Problems.UnknownRequest(requestId);

    /// <summary>Retry unfinished images</summary>
    /// <remarks>
    /// Processes every image of an ended request again that is not completed. The current result stays until the next
    /// one replaces it.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200">The request is running again.</response>
    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> RetryAsync(
        string requestId,
        Caller caller,
        RequestActions actions,
        StatusReader reader,
        CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id)
            ? await AnswerAsync(
                await actions.RetryAsync(caller.Owner, id, cancellationToken),
                id,
                ProblemType.StillRunning,
                "The request is still running. Retry when it has ended, or cancel it first.",
                reader,
                caller,
                cancellationToken)
            : Problems.UnknownRequest(requestId);

    /// <summary>Delete a request</summary>
    /// <remarks>
    /// The request is unknown from now on, even if it was still running. Its rows, files and images are removed in the
    /// background.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="204">The request is deleted.</response>
    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string requestId,
        Caller caller,
        RequestActions actions,
        CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id)
            && await actions.DeleteAsync(caller.Owner, id, cancellationToken) == ActionResult.Done
            ? TypedResults.NoContent()
            : Problems.UnknownRequest(requestId);

    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> AnswerAsync(
        ActionResult result,
        Guid requestId,
        ProblemType conflictType,
        string conflict,
        StatusReader reader,
        Caller caller,
        CancellationToken cancellationToken) => result switch
        {
            ActionResult.Done when await reader.ReadAsync(caller.Owner, requestId, 1, 0, cancellationToken) is { } status =>
                TypedResults.Ok(status),
            ActionResult.WrongState => Problems.Of(conflictType, conflict),
            ActionResult.NothingToDo => Problems.Of(ProblemType.NothingToRetry, "All images of the request are completed."),
            _ => Problems.UnknownRequest(requestId.ToString("D", CultureInfo.InvariantCulture)),
        };

    private sealed record Row
    {
        public required Guid RequestId { get; init; }
        public required string FileName { get; init; }
        public required RequestState State { get; init; }
        public required long Images { get; init; }
        public required long Completed { get; init; }
        public required long Failed { get; init; }
        public required long BytesIn { get; init; }
        public required long BytesOut { get; init; }
        public string? ResultKey { get; init; }
        public required long CreatedAt { get; init; }
        public long? FinishedAt { get; init; }

        public RequestSummary ToWire(PublicUrls urls) => new()
        {
            RequestId = RequestId,
            FileName = FileName,
            Status = State.ToWire(),
            Progress = StatusProgress.Of(Images, Completed, Failed),
            Bytes = StatusBytes.Of(BytesIn, BytesOut),
            ResultUrl = ResultKey is null ? null : urls.Result(RequestId),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
            FinishedAt = FinishedAt is { } finished ? DateTimeOffset.FromUnixTimeMilliseconds(finished) : null,
        };
    }

    private static class Sql
    {
        /// <summary>UUIDv7 sorts by time. Uses the index request_by_owner.</summary>
        public const string Newest = """
            SELECT request_id, file_name, state, images, completed, failed,
                   bytes_in, bytes_out, result_key, created_at, finished_at
            FROM   request
            WHERE  owner = @Owner AND request_id < @Before AND state NOT IN ('receiving', 'deleting')
            ORDER  BY request_id DESC
            LIMIT  @Limit
            """;
    }
}

/// <summary>A page of requests, newest first.</summary>
internal sealed record RequestList
{
    /// <summary>The requests.</summary>
    public required IReadOnlyList<RequestSummary> Requests { get; init; }

    /// <summary>Value of <c>cursor</c> for the next, older page; absent on the last page.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public string? NextCursor { get; init; }
}

/// <summary>A request without its products.</summary>
internal sealed record RequestSummary
{
    /// <summary>ID of the request in all other calls.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public required Guid RequestId { get; init; }

    /// <summary>Name of the uploaded file.</summary>
    /// <example>products.csv</example>
    public required string FileName { get; init; }

    /// <summary>The same values as in the status.</summary>
    /// <example>COMPLETED</example>
    [AllowedValues("PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED")]
    public required string Status { get; init; }

    /// <summary>Progress of the request.</summary>
    public required StatusProgress Progress { get; init; }

    /// <summary>Bytes saved.</summary>
    public required StatusBytes Bytes { get; init; }

    /// <summary>URL of the result CSV; absent until it exists.</summary>
    /// <example>https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv</example>
    public string? ResultUrl { get; init; }

    /// <summary>Time of the upload, UTC.</summary>
    /// <example>2026-11-21T08:29:41.204+00:00</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Time of its end, UTC; absent while it runs.</summary>
    /// <example>2026-11-21T08:30:00+00:00</example>
    public DateTimeOffset? FinishedAt { get; init; }
}
