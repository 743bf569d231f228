namespace Halftone.Api;

/// <summary>Accepts <c>/api/v1/…</c> and a trailing slash as other spellings of the same routes, and HEAD for GET.</summary>
internal static class Spelling
{
    private const string Versioned = "/api/v1";
    private static readonly string[] ReadMethods = [HttpMethods.Get, HttpMethods.Head];

    public static void UseOneSpelling(this WebApplication server) => server.Use((context, next) =>
    {
        var request = context.Request;
        if (request.Path.StartsWithSegments(Versioned, out var rest))
        {
            if (!rest.HasValue && ReadMethods.Contains(request.Method))
            {
                return SendOn(context, "v1/");
            }

            request.Path = rest.HasValue ? rest : "/";
        }

        if (request.Path.Value is { Length: > 1 } path && path.EndsWith('/'))
        {
            var trimmed = path.TrimEnd('/');
            request.Path = trimmed.Length > 0 ? trimmed : "/";
            if (request.Path.StartsWithSegments("/docs") && ReadMethods.Contains(request.Method))
            {
                var upwards = string.Concat(Enumerable.Repeat("../", path.Length - trimmed.Length));
                return SendOn(context, upwards + request.Path.ToUriComponent().Split('/')[^1]);
            }
        }

        return next(context);
    });

    /// <summary>Makes all routes mapped on the result answer HEAD like GET; the server omits the body (RFC 9110, section 9.3.2).</summary>
    public static RouteGroupBuilder WithHeads(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("");
        ((IEndpointConventionBuilder)group).Add(endpoint =>
        {
            if (endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault() is { HttpMethods: [var only] } && HttpMethods.IsGet(only))
            {
                endpoint.Metadata.Add(new HttpMethodMetadata(ReadMethods));
            }
        });
        return group;
    }

    /// <summary>
    /// Redirects to the one spelling of a page, because its links are relative. The redirect is relative too: a proxy
    /// may serve us under a path of its own.
    /// </summary>
    private static Task SendOn(HttpContext context, string location)
    {
        context.Response.Redirect(location + context.Request.QueryString, permanent: true);
        return Task.CompletedTask;
    }
}
