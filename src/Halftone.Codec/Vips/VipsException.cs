using System.Runtime.InteropServices;

namespace Halftone.Codec.Vips;

/// <summary>libvips refused a call; the message is its own text on one line, at most 300 characters.</summary>
internal sealed class VipsException(string message) : Exception(message)
{
    /// <summary>Whether memory ran out, and not the image that was wrong. libvips has no error codes: its text is all there is.</summary>
    /// <remarks>
    /// libheif says "Memory allocation error: Security limit exceeded" of a file with more parts than it takes: 300 bytes of such a one cost two
    /// children while it was believed.
    /// </remarks>
    public bool IsOutOfMemory { get; } =
        !message.Contains("security limit", StringComparison.OrdinalIgnoreCase)
        && (message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || message.Contains("insufficient memory", StringComparison.OrdinalIgnoreCase)
            || message.Contains("memory allocation", StringComparison.OrdinalIgnoreCase)
            || message.Contains("cannot allocate", StringComparison.OrdinalIgnoreCase));

    /// <summary>Drains the error buffer, of which there is one in the process: a text left there would be blamed on the next image.</summary>
    public static unsafe VipsException FromErrorBuffer(string call)
    {
        var buffer = LibVips.vips_error_buffer_copy();
        var text = Marshal.PtrToStringUTF8((nint)buffer) ?? "";
        LibVips.g_free(buffer);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct();
        var line = string.Concat($"{call}: {string.Join("; ", lines)}".Select(c => char.IsControl(c) ? ' ' : c));
        return new VipsException(line.Length > 300 ? line[..300] : line);
    }
}
