using Swashbuckle.AspNetCore.SwaggerUI;

namespace Halftone.Api.Docs;

/// <summary>Swagger UI for our contract, created on first use, so that a server that nobody browses does not load it.</summary>
internal sealed class ApiBrowser(IServiceProvider services)
{
    private readonly Lazy<RequestDelegate> pipeline = new(() =>
    {
        var builder = new ApplicationBuilder(services);
        builder.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "docs";
            page.DocumentTitle = "Halftone";
            page.SwaggerEndpoint("../openapi/v1.json", "Halftone");
            page.EnableDeepLinking();
            page.DefaultModelsExpandDepth(0);
            page.DocExpansion(DocExpansion.List);
        });
        builder.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        return builder.Build();
    });

    /// <summary>Serves <c>/docs</c> and the files below it; 404 for anything else.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            // Swagger UI supports only GET. The web server omits the body for HEAD.
            context.Request.Method = HttpMethods.Get;
        }

        // Everything is served from here; the page loads nothing from others and sends them nothing.
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
        return pipeline.Value(context);
    }
}
