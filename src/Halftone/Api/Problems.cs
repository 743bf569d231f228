using Halftone.Api.Docs;
using Halftone.Catalogue;
using Halftone.Intake;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Halftone.Api;

/// <summary>Builds answers as RFC 9457 problem details: <c>code</c> for programs, <c>detail</c> for people.</summary>
internal static class Problems
{
    public static ProblemHttpResult UnknownRequest(string requestId) =>
        Of(
            ProblemType.UnknownRequest,
            $"Request '{Shorten(requestId)}' not found. Check the request_id; the request may have been deleted.");

    public static ProblemHttpResult InvalidLimit(string? limit, int largest) =>
        Of(ProblemType.InvalidLimit, $"'limit' is '{Shorten(limit ?? "")}'; it must be a whole number from 1 to {largest}.");

    public static ProblemHttpResult InvalidCursor() =>
        Of(ProblemType.InvalidCursor, "'cursor' must be the next_cursor of an earlier answer.");

    public static ProblemHttpResult Of(ProblemType type, string detail) => TypedResults.Problem(Details(type, detail));

    /// <summary>A refused upload with all its problems.</summary>
    /// <param name="problems">All problems, the first 100 in full.</param>
    public static ProblemHttpResult Upload(CsvProblems problems)
    {
        var first = problems.Listed[0];
        var details = Details(
            ProblemType.Of(first.Code),
            problems.Count == 1 ? first.Message : $"{problems.Count:N0} problems found. The first one: {first.Message}");
        details.Extensions["errors"] = UploadProblem.Of(problems);
        details.Extensions["error_count"] = problems.Count;
        return TypedResults.Problem(details);
    }

    private static ProblemDetails Details(ProblemType type, string detail) =>
        new()
        {
            Type = ErrorPages.Path(type.Code),
            Status = type.Status,
            Title = type.Title,
            Detail = detail,
            Extensions = { ["code"] = type.Code },
        };

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
