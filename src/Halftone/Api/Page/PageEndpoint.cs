using System.Security.Cryptography;
using Halftone.Api.Docs;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api.Page;

/// <summary>
/// <c>GET /</c> and <c>/page/{file}</c>: the page for browsers. It uses only the public API, and loads nothing from
/// elsewhere except the images it shows.
/// </summary>
internal static class PageEndpoint
{
    /// <summary>
    /// Content security policy of the page, whatever a spreadsheet contains. Scripts and styles are our own files, text
    /// never becomes markup (trusted types), and calls go only to this server. Images may come from anywhere: outputs
    /// may be in a bucket, and a source is shown beside its output.
    /// </summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https:; form-action "
        + "'none'; base-uri 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly Lazy<IReadOnlyDictionary<string, PageFile>> Files = new(() =>
        Directory
            .EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Api", "Page", "wwwroot"))
            .Select(PageFile.Of)
            .ToDictionary(file => file.Name, StringComparer.Ordinal));

    public static void MapPage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", GetPage).Named("getPage", "Pages").Produces<string>(contentType: "text/html");
        routes.MapGet("/page/{file}", GetFile).Named("getPageFile", "Pages")
            .Produces<string>(contentType: "text/css", additionalContentTypes: ["text/javascript", "image/svg+xml"])
            .MayAnswer(ProblemType.NotFound);
    }

    /// <summary>Get the page</summary>
    /// <remarks>Upload a CSV and follow it in a browser.</remarks>
    /// <response code="200" headers="ETag">HTML.</response>
    /// <response code="301" headers="Location">The page; asked for as `/api/v1`, without a slash.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    private static PhysicalFileHttpResult GetPage(HttpContext context) => Serve(Files.Value["index.html"], context);

    /// <summary>Get a file of the page</summary>
    /// <remarks>Its scripts, styles and icons.</remarks>
    /// <param name="file" example="page.css">Name of the file.</param>
    /// <response code="200" headers="ETag">The file.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer with the ETag in If-None-Match.</response>
    private static Results<PhysicalFileHttpResult, ProblemHttpResult> GetFile(string file, HttpContext context) =>
        Files.Value.TryGetValue(file, out var found)
            ? Serve(found, context)
            : Problems.Of(ProblemType.NotFound, "The page has no such file.");

    private static PhysicalFileHttpResult Serve(PageFile file, HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        // Browsers revalidate each time, so that a page never runs the scripts of another version.
        headers.CacheControl = "no-cache";
        return TypedResults.PhysicalFile(file.Path, file.ContentType, entityTag: file.Tag);
    }

    private sealed record PageFile(string Name, string Path, string ContentType, EntityTagHeaderValue Tag)
    {
        public static PageFile Of(string path) => new(
            System.IO.Path.GetFileName(path),
            path,
            System.IO.Path.GetExtension(path) switch
            {
                ".html" => "text/html; charset=utf-8",
                ".css" => "text/css; charset=utf-8",
                ".js" => "text/javascript; charset=utf-8",
                ".svg" => "image/svg+xml",
                var other => throw new InvalidOperationException($"The page has a file of an unsupported type: {other}"),
            },
            new($"\"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)).AsSpan(0, 12))}\""));
    }
}
