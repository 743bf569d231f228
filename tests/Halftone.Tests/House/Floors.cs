using System.Text.RegularExpressions;

namespace Halftone.Tests.House;

/// <summary>
/// The floors of <c>src/Halftone</c>, bottom to top, and the references that break their one rule: a file names types of floors
/// below its own, or of its own folder. Namespaces are folders, so a <c>using</c> line or a qualified name shows each reference.
/// </summary>
internal static partial class Floors
{
    /// <summary>The folders, bottom to top. Folders on one line do not know each other.</summary>
    public static readonly string[][] BottomToTop =
    [
        ["Model"],
        ["Telemetry"],
        ["Io"],
        ["Database"],
        ["Queue"],
        ["Catalogue", "Fetch", "Compress", "Store"],
        ["Requests"],
        ["Intake", "Results", "Webhooks"],
        ["Pipeline"],
        ["Api"],
        ["Hosting"],
        ["Cli"],
    ];

    /// <summary>The references of one file that point up or sideways, each with file, line and both floors.</summary>
    /// <param name="path">Relative to <c>src/Halftone</c>, with slashes.</param>
    /// <param name="text">The whole file.</param>
    public static IEnumerable<string> Violations(string path, string text)
    {
        var folder = path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : null;
        var own = FloorOf(folder);
        if (own < 0)
        {
            yield return $"src/Halftone/{path}:1: the folder {folder} has no floor; add it to Floors.BottomToTop";
            yield break;
        }

        var expected = "namespace Halftone" + string.Concat(path.Split('/')[..^1].Select(part => "." + part)) + ";";
        var lines = text.Split('\n');
        if (!lines.Any(line => line.TrimEnd() == expected))
        {
            yield return $"src/Halftone/{path}:1: the file says no \"{expected}\", so its folder does not tell its floor";
        }

        for (var index = 0; index < lines.Length; index++)
        {
            foreach (var named in Named(lines[index]).Where(named => named != folder && FloorOf(named) >= own).Distinct())
            {
                yield return $"src/Halftone/{path}:{index + 1}: floor {own + 1} ({folder ?? "Program.cs"}) names floor {FloorOf(named) + 1} ({named})";
            }
        }
    }

    /// <summary>0-based from the bottom; the files outside every folder are the top; -1 for an unknown folder.</summary>
    private static int FloorOf(string? folder) =>
        folder is null ? BottomToTop.Length : Array.FindIndex(BottomToTop, floor => floor.Contains(folder));

    private static IEnumerable<string> Named(string line)
    {
        var isReference = line.Contains("cref=", StringComparison.Ordinal);
        var code = isReference ? line : Literal().Replace(line, match => match.Value.Contains('{', StringComparison.Ordinal) ? match.Value : "");
        if (!isReference && code.IndexOf("//", StringComparison.Ordinal) is >= 0 and var comment)
        {
            code = code[..comment];
        }

        return Reference().Matches(code).Select(match => match.Groups["folder"].Value).Where(folder => FloorOf(folder) >= 0);
    }

    [GeneratedRegex("\"(?:\\\\.|[^\"\\\\])*\"")]
    private static partial Regex Literal();

    /// <summary><c>using Halftone.X</c>, <c>Halftone.X.Type</c>, and <c>X.Type</c>, which every file of the assembly could write.</summary>
    [GeneratedRegex(@"\bHalftone\.(?<folder>[A-Z]\w*)|(?<![\w.])(?:global::)?(?<folder>[A-Z]\w*)\.[A-Z]")]
    private static partial Regex Reference();
}
