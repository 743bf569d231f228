namespace Halftone.Api.Docs;

/// <summary>docs/errors has a page for each code: of a problem, of a file, of an image.</summary>
internal static class ErrorPages
{
    /// <summary>Where the server shows the page: the <c>type</c> of a problem. Relative, so that it leads to the server that was asked, whatever its name.</summary>
    public static string Path(string code) => "/docs/errors/" + code;
}
