using System.Globalization;
using System.Text;

namespace Halftone.Fetch;

/// <summary>The address of a redirect as text.</summary>
internal static class RedirectLocation
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Bytes outside ASCII are not allowed in a Location and yet are sent. Where they are UTF-8 they are read as such; where not, each is
    /// percent-encoded,
    /// as browsers do: the host knows its own file names.
    /// </summary>
    /// <param name="latin1">One character a byte.</param>
    public static string Of(string latin1)
    {
        if (Ascii.IsValid(latin1))
        {
            return latin1;
        }

        try
        {
            return Utf8.GetString(Encoding.Latin1.GetBytes(latin1));
        }
        catch (DecoderFallbackException)
        {
            return string.Concat(
                latin1.Select(c => c < 0x80 ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"%{(int)c:X2}")));
        }
    }
}
