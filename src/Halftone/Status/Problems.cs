using Halftone.Intake;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Halftone.Status;

/// <summary>Answers that say what is wrong, as RFC 9457 problem details: <c>code</c> for programs, <c>detail</c> for people.</summary>
internal static class Problems
{
    public static ProblemHttpResult BadRequest(string code, string detail) => Of(StatusCodes.Status400BadRequest, code, "The request cannot be used", detail);

    public static ProblemHttpResult UnknownRequest(string requestId) =>
        Of(StatusCodes.Status404NotFound, "unknown_request", "There is no such request", $"No request '{Shorten(requestId)}' is known: check the request_id, it may have been deleted.");

    public static ProblemHttpResult InvalidLimit(string? limit, int largest) =>
        BadRequest("invalid_limit", $"'limit' is '{Shorten(limit ?? "")}': a whole number from 1 to {largest} is allowed.");

    public static ProblemHttpResult InvalidCursor() => BadRequest("invalid_cursor", "'cursor' must be a next_cursor of an earlier answer.");

    public static ProblemHttpResult Of(int status, string code, string title, string detail) =>
        TypedResults.Problem(new ProblemDetails { Status = status, Title = title, Detail = detail, Extensions = { ["code"] = code } });

    /// <summary>A refused upload with everything that is wrong with it.</summary>
    /// <param name="problems">The first of them, 100 at most.</param>
    /// <param name="count">How many there are in all.</param>
    public static ProblemHttpResult Upload(UploadProblem[] problems, long count) =>
        TypedResults.Problem(new ProblemDetails
        {
            Status = StatusCodes.Status400BadRequest,
            Title = "The file was not accepted",
            Detail = count == 1 ? problems[0].Message : $"There are {count:N0} problems, the first: {problems[0].Message}",
            Extensions = { ["code"] = problems[0].Code, ["errors"] = problems, ["error_count"] = count },
        });

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
