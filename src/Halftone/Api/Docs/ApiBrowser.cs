using Swashbuckle.AspNetCore.SwaggerUI;

namespace Halftone.Api.Docs;

/// <summary>Swagger UI over our contract. Made when it is first asked for: a server that nobody browses does not load it.</summary>
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

    /// <summary>Answers <c>/docs</c> and the files of the page below it; 404 for any other.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            // Swagger UI knows GET alone. The web server leaves the body out whatever the method is called here.
            context.Request.Method = HttpMethods.Get;
        }

        // Everything comes from here: nothing is to be fetched from, or told to, anybody else.
        context.Response.Headers.ContentSecurityPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
        return pipeline.Value(context);
    }
}
