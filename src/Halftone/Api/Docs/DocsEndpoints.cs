using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api.Docs;

/// <summary>
/// <c>GET /docs</c>, <c>/docs/{page}</c>, <c>/docs/errors/{code}</c> and <c>/openapi/v1.json</c>: the folder docs,
/// which comes with the program. Open to everyone, and loads nothing from elsewhere.
/// </summary>
internal static partial class DocsEndpoints
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "docs");

    public static void AddDocs(this IServiceCollection services) => services.AddSingleton<ApiBrowser>();

    public static void MapDocs(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/openapi/v1.json", GetContract).Named("getContract", "Pages").Produces<string>(contentType: "application/json");
        routes.MapGet("/docs", BrowseAsync).Named("getDocs", "Pages");
        routes
            .MapGet("/docs/{page}", GetPageAsync)
            .Named("getDocsPage", "Pages")
            .Produces<string>(
                contentType: "text/html",
                additionalContentTypes: ["text/css", "text/javascript", "application/javascript", "image/png"])
            .MayAnswer(ProblemType.NotFound);
        routes
            .MapGet("/docs/errors/{code}", GetErrorAsync)
            .Named("getErrorPage", "Pages")
            .Produces<string>(contentType: "text/html")
            .MayAnswer(ProblemType.NotFound);
    }

    /// <summary>Get the contract</summary>
    /// <remarks>This document: OpenAPI 3.1.</remarks>
    /// <response code="200">JSON.</response>
    private static PhysicalFileHttpResult GetContract() =>
        TypedResults.PhysicalFile(Path.Combine(Folder, "openapi.json"), "application/json");

    /// <summary>Browse and try the API</summary>
    /// <remarks>Redirects to `/docs/index.html`.</remarks>
    /// <response code="301" headers="Location">The page.</response>
    private static Task BrowseAsync(HttpContext context, ApiBrowser browser) => browser.AnswerAsync(context);

    /// <summary>Get a page of the documentation</summary>
    /// <remarks>
    /// `index.html` is the API to browse, with its scripts and styles beside it; `errors`, `csv`, `webhook` and others
    /// are pages to read.
    /// </remarks>
    /// <param name="page" example="errors">Name of the page or file.</param>
    /// <response code="200">The page or file.</response>
    /// <response code="301" headers="Location">The page; asked for with a trailing slash.</response>
    private static async Task<Results<ContentHttpResult, EmptyHttpResult>> GetPageAsync(
        string page,
        HttpContext context,
        ApiBrowser browser)
    {
        if (FileOf(page) is { } file)
        {
            return await ReadAsync(file, context);
        }

        await browser.AnswerAsync(context);
        return TypedResults.Empty;
    }

    /// <summary>Explain an error code</summary>
    /// <remarks>The meaning of the code, what to do, and whether a retry helps. The `type` of a problem leads here.</remarks>
    /// <param name="code" example="unknown_request">
    /// The code of a problem, of a problem of a file, or of a failed image; or a page: `upload`, `api`, `fetch` or `compress`.
    /// </param>
    /// <response code="200">The page.</response>
    /// <response code="301" headers="Location">The section of the code; or the page, asked for with a trailing slash.</response>
    private static async Task<Results<ContentHttpResult, RedirectHttpResult, ProblemHttpResult>> GetErrorAsync(
        string code, HttpContext context)
    {
        if (FileOf("errors", code) is { } file)
        {
            return await ReadAsync(file, context);
        }

        // Relative, so that it works below /api/v1 and behind a proxy.
        return ErrorPages.PageOf(code) is { } page
            ? TypedResults.Redirect($"{page}#{code}", permanent: true)
            : Problems.Of(ProblemType.NotFound, "Error code not found. /docs/errors lists all codes.");
    }

    /// <summary>The Markdown file of a name; null if there is none.</summary>
    private static string? FileOf(params ReadOnlySpan<string> names)
    {
        // No name that could lead out of the folder.
        if (!PageName().IsMatch(names[^1]))
        {
            return null;
        }

        var file = Path.Combine([Folder, .. names]) + ".md";
        return File.Exists(file) ? file : null;
    }

    private static async Task<ContentHttpResult> ReadAsync(string file, HttpContext context)
    {
        var page = await MarkdownPage.ReadAsync(file, Folder, context.RequestAborted);
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        return TypedResults.Content(Page(page.Title, page.Body), "text/html; charset=utf-8");
    }

    private static string Page(string title, string body) => $$"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{{title}} – Halftone</title>
        <style>
          :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
          body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
          pre, code { font-family: ui-monospace, monospace; font-size: .9em; background: #8882; border-radius: .2rem; }
          code { padding: 0 .2em; }
          pre { padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
          pre code { padding: 0; background: none; font-size: 1em; }
          blockquote { margin: 1rem 0; padding: 0 1rem; border-left: .25rem solid #8886; }
          table { border-collapse: collapse; }
          .scroll { overflow-x: auto; }
          td, th { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #8884; vertical-align: top; }
          figure { margin: 1.5rem 0; overflow-x: auto; }
          figure svg { width: 100%; min-width: 42rem; height: auto; }
          h2:target { background: #fd06; }
        </style>
        <nav>
          <a href="/">Halftone</a> · <a href="/docs">API</a> · <a href="/docs/csv">CSV</a> · <a href="/docs/errors">Errors</a> ·
          <a href="/docs/webhook">Webhooks</a> · <a href="/docs/design">Design</a>
        </nav>
        {{body}}
        </html>
        """;

    [GeneratedRegex("^[a-z0-9_-]+$")]
    private static partial Regex PageName();
}
