using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Halftone.Api.Docs;

/// <summary>Sections of docs/errors, one for each error code: of a call, of a file, of an image. Each page there is one stage.</summary>
internal static partial class ErrorPages
{
    /// <summary>The folder docs/errors as the program ships it.</summary>
    public static readonly string Folder = System.IO.Path.Combine(AppContext.BaseDirectory, "docs", "errors");

    private static readonly Lazy<FrozenDictionary<string, string>> Pages = new(() =>
        Directory.EnumerateFiles(Folder, "*.md")
            .SelectMany(file => Headings().Matches(File.ReadAllText(file)).Select(heading => KeyValuePair.Create(
                heading.Groups[1].Value, System.IO.Path.GetFileNameWithoutExtension(file))))
            .ToFrozenDictionary(StringComparer.Ordinal));

    /// <summary>The <c>type</c> of a problem. Relative, so that it leads to the server that answered, whatever its name.</summary>
    public static string Path(string code) => "/docs/errors/" + code;

    /// <summary>Name of the page that has the section of a code, such as <c>upload</c>; null if there is no such code.</summary>
    public static string? PageOf(string code) => Pages.Value.GetValueOrDefault(code);

    [GeneratedRegex("^## `([a-z0-9_]+)`$", RegexOptions.Multiline)]
    private static partial Regex Headings();
}
