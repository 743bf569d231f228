using System.Globalization;
using System.Runtime.Versioning;

namespace Halftone.Compress.Sandbox;

/// <summary>
/// The descriptors of the program that started the server, such as a supervisor's sockets: they survive each exec, because they are
/// not marked to be closed by it. What .NET opens is marked.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class InheritedFiles
{
    private const string Own = "/proc/self/fd";

    /// <summary>Closes all but standard input, output and error. Nothing else may have been opened without the mark before.</summary>
    public static void Close()
    {
        foreach (var descriptor in Descriptors().Where(descriptor => descriptor > 2 && Kernel.IsInherited(descriptor)))
        {
            Kernel.Close(descriptor);
        }
    }

    /// <summary>The highest open descriptor.</summary>
    public static int Highest() => Descriptors().Max();

    private static int[] Descriptors() =>
    [
        .. Directory.EnumerateFileSystemEntries(Own)
            .Select(path => int.Parse(Path.GetFileName(path.AsSpan()), CultureInfo.InvariantCulture)),
    ];
}
