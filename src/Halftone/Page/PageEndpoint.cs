namespace Halftone.Page;

/// <summary><c>GET /</c></summary>
internal static class PageEndpoint
{
    public static void MapPage(this WebApplication server)
    {
        var page = Path.Combine(AppContext.BaseDirectory, "Page", "wwwroot", "index.html");
        server.MapGet("/", () => TypedResults.PhysicalFile(page, "text/html; charset=utf-8"));
    }
}
