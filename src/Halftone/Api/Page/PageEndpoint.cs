using System.Security.Cryptography;
using Halftone.Api.Docs;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Halftone.Api.Page;

/// <summary><c>GET /</c> and <c>/page/{file}</c>: the page for a browser. It uses the public API alone and calls nobody else, but for the images it shows.</summary>
internal static class PageEndpoint
{
    /// <summary>
    /// What a browser may do for the page, whatever a spreadsheet got into it. Scripts and styles are files of ours, no text becomes markup (trusted types),
    /// and calls come here alone. Images may come from anywhere: outputs may lie in a bucket, and a source is shown beside its output.
    /// </summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly Lazy<IReadOnlyDictionary<string, PageFile>> Files = new(() =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Api", "Page", "wwwroot")).Select(PageFile.Of).ToDictionary(file => file.Name, StringComparer.Ordinal));

    public static void MapPage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", GetPage).Named("getPage", "Pages").Produces<string>(contentType: "text/html");
        routes.MapGet("/page/{file}", GetFile).Named("getPageFile", "Pages")
            .Produces<string>(contentType: "text/css", additionalContentTypes: ["text/javascript", "image/svg+xml"])
            .MayAnswer(ProblemType.NotFound);
    }

    /// <summary>The page</summary>
    /// <remarks>Upload a CSV and watch it in a browser.</remarks>
    /// <response code="200" headers="ETag">HTML.</response>
    /// <response code="301" headers="Location">The page; asked for as `/api/v1`, without a slash.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer whose ETag was sent in If-None-Match.</response>
    private static PhysicalFileHttpResult GetPage(HttpContext context) => Serve(Files.Value["index.html"], context);

    /// <summary>A file of the page</summary>
    /// <remarks>Its scripts, its style and its mark.</remarks>
    /// <param name="file" example="page.css">Name of the file.</param>
    /// <response code="200" headers="ETag">The file.</response>
    /// <response code="304" headers="ETag">Nothing has changed since the answer whose ETag was sent in If-None-Match.</response>
    private static Results<PhysicalFileHttpResult, ProblemHttpResult> GetFile(string file, HttpContext context) =>
        Files.Value.TryGetValue(file, out var found) ? Serve(found, context) : Problems.Of(ProblemType.NotFound, "The page has no such file.");

    private static PhysicalFileHttpResult Serve(PageFile file, HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        // Asked for anew each time, and sent only when a new version was installed: a page never meets the scripts of another.
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
                var other => throw new InvalidOperationException($"The page has a file of a kind that is not served: {other}"),
            },
            new($"\"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)).AsSpan(0, 12))}\""));
    }
}
