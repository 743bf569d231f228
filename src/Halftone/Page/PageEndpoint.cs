using Halftone.Docs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Page;

/// <summary><c>GET /</c></summary>
internal static class PageEndpoint
{
    private static readonly string Page = Path.Combine(AppContext.BaseDirectory, "Page", "wwwroot", "index.html");

    public static void MapPage(this IEndpointRouteBuilder routes) => routes.MapGet("/", Get)
        .Named("getPage", "Pages")
        .Produces<string>(contentType: "text/html");

    /// <summary>The page</summary>
    /// <remarks>Upload a CSV and watch it in a browser.</remarks>
    /// <response code="200">HTML.</response>
    private static PhysicalFileHttpResult Get() => TypedResults.PhysicalFile(Page, "text/html; charset=utf-8");
}
