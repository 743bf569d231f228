using System.Globalization;
using Dapper;
using Halftone.Access;
using Halftone.Database;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Status;

/// <summary><c>GET /requests</c>, <c>POST /requests/{id}/cancel</c>, <c>POST /requests/{id}/retry</c>, <c>DELETE /requests/{id}</c></summary>
internal static class RequestEndpoints
{
    private const int DefaultLimit = 50;
    private const int LargestLimit = 500;

    public static void MapRequests(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/requests", ListAsync);
        routes.MapPost("/requests/{requestId}/cancel", CancelAsync);
        routes.MapPost("/requests/{requestId}/retry", RetryAsync);
        routes.MapDelete("/requests/{requestId}", DeleteAsync);
    }

    private static async Task<Results<Ok<RequestList>, ProblemHttpResult>> ListAsync(Caller caller, HttpContext context, HalftoneDatabase database, PublicUrls urls, CancellationToken cancellationToken)
    {
        var query = context.Request.Query;
        if (!QueryNumber.TryRead(query["limit"], DefaultLimit, 1, LargestLimit, out var limit))
        {
            return Problems.InvalidLimit(query["limit"], LargestLimit);
        }

        var before = Guid.AllBitsSet;
        if (query["cursor"] is [{ Length: > 0 } cursor, ..] && !Guid.TryParseExact(cursor, "D", out before))
        {
            return Problems.InvalidCursor();
        }

        var rows = (await database.ReadAsync(connection => connection.QueryAsync<Row>(Sql.Newest, new { Owner = caller.Owner, Before = before, Limit = limit }), cancellationToken)).AsList();
        return TypedResults.Ok(new RequestList
        {
            Requests = [.. rows.Select(row => row.ToWire(urls))],
            NextCursor = rows.Count == limit ? rows[^1].RequestId.ToString("D", CultureInfo.InvariantCulture) : null,
        });
    }

    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> CancelAsync(string requestId, Caller caller, RequestActions actions, StatusReader reader, CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id)
            ? await AnswerAsync(await actions.CancelAsync(caller.Owner, id, cancellationToken), id, "already_finished", "The request has ended already: there is nothing to cancel.", reader, caller, cancellationToken)
            : Problems.UnknownRequest(requestId);

    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> RetryAsync(string requestId, Caller caller, RequestActions actions, StatusReader reader, CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id)
            ? await AnswerAsync(await actions.RetryAsync(caller.Owner, id, cancellationToken), id, "still_running", "The request is still running: retry when it has ended, or cancel it first.", reader, caller, cancellationToken)
            : Problems.UnknownRequest(requestId);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string requestId, Caller caller, RequestActions actions, CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id) && await actions.DeleteAsync(caller.Owner, id, cancellationToken) == ActionResult.Done
            ? TypedResults.NoContent()
            : Problems.UnknownRequest(requestId);

    private static async Task<Results<Ok<RequestStatus>, ProblemHttpResult>> AnswerAsync(
        ActionResult result, Guid requestId, string conflictCode, string conflict, StatusReader reader, Caller caller, CancellationToken cancellationToken) => result switch
        {
            ActionResult.Done when await reader.ReadAsync(caller.Owner, requestId, 1, 0, cancellationToken) is { } status => TypedResults.Ok(status),
            ActionResult.WrongState => Problems.Of(StatusCodes.Status409Conflict, conflictCode, "Not possible now", conflict),
            ActionResult.NothingToDo => Problems.Of(StatusCodes.Status409Conflict, "nothing_to_retry", "Nothing to retry", "Every image of the request is completed."),
            _ => Problems.UnknownRequest(requestId.ToString("D", CultureInfo.InvariantCulture)),
        };

    private sealed record Row
    {
        public required Guid RequestId { get; init; }
        public required string FileName { get; init; }
        public required string State { get; init; }
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
            Status = RequestState.ToWire(State),
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
            SELECT request_id AS RequestId, file_name AS FileName, state AS State, images AS Images, completed AS Completed, failed AS Failed,
                   bytes_in AS BytesIn, bytes_out AS BytesOut, result_key AS ResultKey, created_at AS CreatedAt, finished_at AS FinishedAt
            FROM   request
            WHERE  owner = @Owner AND request_id < @Before AND state NOT IN ('receiving', 'deleting')
            ORDER  BY request_id DESC
            LIMIT  @Limit
            """;
    }
}

/// <summary>A page of requests, the newest first.</summary>
internal sealed record RequestList
{
    public required IReadOnlyList<RequestSummary> Requests { get; init; }

    /// <summary>Ask again with <c>cursor</c> set to this for older ones; absent on the last page.</summary>
    public string? NextCursor { get; init; }
}

/// <summary>A request without its products.</summary>
internal sealed record RequestSummary
{
    public required Guid RequestId { get; init; }
    public required string FileName { get; init; }
    public required string Status { get; init; }
    public required StatusProgress Progress { get; init; }
    public required StatusBytes Bytes { get; init; }
    public string? ResultUrl { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
}
