using NetVips;

namespace Halftone.Codec.Vips;

/// <summary>Reads what libvips says of a call that it refused. It has no error codes: its text is all there is.</summary>
internal static class VipsFailure
{
    private const int MostCharacters = 300;
    private const string UnableToCall = "unable to call ";

    /// <summary>The name of the operation and what libvips says of it, on one line.</summary>
    public static string Describe(VipsException failure)
    {
        var lines = failure.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var call = lines[0].StartsWith(UnableToCall, StringComparison.Ordinal) ? lines[0][UnableToCall.Length..] : lines[0];
        var line = string.Concat($"{call}: {string.Join("; ", lines[1..].Distinct())}".Select(c => char.IsControl(c) ? ' ' : c));
        return line.Length > MostCharacters ? line[..MostCharacters] : line;
    }

    /// <summary>Whether memory ran out, and not the image that was wrong.</summary>
    /// <remarks>
    /// libheif says "Memory allocation error: Security limit exceeded" of a file with more parts than it takes: 300 bytes of such a one
    /// cost two
    /// children while it was believed.
    /// </remarks>
    public static bool IsOutOfMemory(VipsException failure)
    {
        var text = failure.Message;
        return !Says("security limit")
            && (Says("out of memory") || Says("insufficient memory") || Says("memory allocation") || Says("cannot allocate"));

        bool Says(string words) => text.Contains(words, StringComparison.OrdinalIgnoreCase);
    }
}
