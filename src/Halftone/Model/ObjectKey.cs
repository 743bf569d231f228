using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;

namespace Halftone.Model;

/// <summary>
/// Names of stored objects: ours, never the user's. Only lower-case letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and
/// <c>/</c> (the random part also upper case), so a key is safe as a path, as an S3 key and in a URL without escaping.
/// </summary>
internal static class ObjectKey
{
    private const int SlugLength = 40;

    /// <summary>
    /// <c>{slug of the serial number, at most 40 of a-z0-9-}-{n}</c>; <paramref name="number"/> is the position in the
    /// row, from 1.
    /// </summary>
    public static string NameOf(string serialNumber, long number)
    {
        Span<char> slug = stackalloc char[SlugLength];
        var length = 0;
        foreach (var c in serialNumber)
        {
            if (length == SlugLength)
            {
                break;
            }

            if (char.IsAsciiLetterOrDigit(c))
            {
                slug[length++] = char.ToLowerInvariant(c);
            }
            else if (length > 0 && slug[length - 1] != '-')
            {
                slug[length++] = '-';
            }
        }

        var text = slug[..length].Trim('-');
        return text.Length == 0
            ? string.Create(CultureInfo.InvariantCulture, $"image-{number}")
            : string.Create(CultureInfo.InvariantCulture, $"{text}-{number}");
    }

    /// <summary>A fresh key for an output image: nobody can guess it, and no two runs share it.</summary>
    public static string ForImage(Guid requestId, string name, string extension) => $"{requestId:D}/{name}-{RandomBits()}.{extension}";

    /// <summary>A fresh key for a variant of it. Its name follows the random part, where no serial number can be.</summary>
    public static string ForVariant(Guid requestId, string name, string variant, string extension) =>
        $"{requestId:D}/{name}-{RandomBits()}-{variant}.{extension}";

    /// <summary>A fresh key for a file of a request, such as its upload or a result.</summary>
    public static string ForFile(Guid requestId, string name, string extension) => $"{requestId:D}/{name}-{RandomBits()}.{extension}";

    /// <summary>The prefix of all objects of a request.</summary>
    public static string Prefix(Guid requestId) => $"{requestId:D}/";

    /// <summary>True for two segments of safe characters, neither of them a dot name: anything else is not one of our keys.</summary>
    public static bool IsValid(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && key.Length <= 200 && IsSegment(key.AsSpan(0, slash)) && IsSegment(key.AsSpan(slash + 1));
    }

    private static bool IsSegment(ReadOnlySpan<char> segment)
    {
        foreach (var c in segment)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                return false;
            }
        }

        return segment.Length > 0 && segment[0] != '.';
    }

    /// <summary>128 random bits as 22 characters of base64url (RFC 4648, section 5).</summary>
    private static string RandomBits() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
}
