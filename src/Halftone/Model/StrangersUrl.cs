using System.Diagnostics.CodeAnalysis;

namespace Halftone.Model;

/// <summary>
/// Parses URLs from rows, redirects, callers and their headers. .NET's own parser throws IndexOutOfRangeException for
/// some, such as <c>file://</c>, U+202E, <c>/</c>.
/// </summary>
internal static class StrangersUrl
{
    /// <summary>An absolute URL of any scheme.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Uri? url)
    {
        try
        {
            return Uri.TryCreate(text, UriKind.Absolute, out url);
        }
        catch (IndexOutOfRangeException)
        {
            url = null;
            return false;
        }
    }

    /// <summary>The target of a redirect of <paramref name="from"/>.</summary>
    public static bool TryFollow(Uri from, string location, [NotNullWhen(true)] out Uri? url)
    {
        try
        {
            return Uri.TryCreate(from, location, out url);
        }
        catch (IndexOutOfRangeException)
        {
            url = null;
            return false;
        }
    }
}
