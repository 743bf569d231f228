using Microsoft.Net.Http.Headers;

namespace Halftone.Api;

/// <summary>Answers that did not change are not sent again: RFC 9110, section 13.1.2.</summary>
internal static class EntityTags
{
    /// <summary>Sets the ETag. True if the caller already has exactly this answer, so that 304 is due.</summary>
    public static bool IsUnchanged(HttpContext context, EntityTagHeaderValue tag)
    {
        context.Response.GetTypedHeaders().ETag = tag;
        return context.Request.GetTypedHeaders().IfNoneMatch.Any(held => held.Tag == "*" || held.Compare(tag, useStrongComparison: false));
    }
}
