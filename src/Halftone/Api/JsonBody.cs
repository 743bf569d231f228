using System.Text;

namespace Halftone.Api;

/// <summary>Helpers for JSON request bodies.</summary>
internal static class JsonBody
{
    /// <summary>
    /// Length of the byte order mark before the JSON, 0 or 3: PowerShell 5 writes one, and RFC 8259, section 8.1, lets
    /// a reader skip it.
    /// </summary>
    public static int MarkLength(ReadOnlySpan<byte> body) => body.StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
}
