using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Halftone.Model;

/// <summary>
/// Validators that a host sent with a body, used later to ask whether it has changed (RFC 9110, sections 8.8 and 13.1).
/// Weak tags are sufficient: the question is whether the image is still the same, which is what caches ask.
/// </summary>
/// <param name="ETag">Exactly as sent, with its quotes and <c>W/</c>; null if there was none.</param>
/// <param name="LastModified">UTC, to the second; null if there was none that can be compared.</param>
/// <param name="RedirectedTo">The <see cref="PrintOf"/> the URL that sent them, if it is not the requested one: they
/// are sent to no other URL.</param>
internal sealed record Validators(string? ETag, DateTimeOffset? LastModified, string? RedirectedTo)
{
    /// <summary>Longer tags are not kept.</summary>
    private const int MaxTagChars = 256;

    /// <summary>
    /// A file may change twice in a second, and clocks differ, so a date identifies a file's bytes only if it was
    /// already this old (RFC 9110, section 8.8.2.2; a minute, as in RFC 7232).
    /// </summary>
    private static readonly TimeSpan LeastAge = TimeSpan.FromMinutes(1);

    /// <summary>Identifies redirect targets: a hash of 128 bits, because such a URL may be long, and signed.</summary>
    public static string PrintOf(Uri url) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)).AsSpan(0, 16));

    /// <summary>The validators of a response with a body; null if there are none that can be used.</summary>
    public static Validators? Of(HttpResponseMessage response, string? redirectedTo)
    {
        var tag = TagOf(response);
        var modified = response.Content.Headers.LastModified is { } last && response.Headers.Date is { } date && date - last >= LeastAge
            ? last
            : (DateTimeOffset?)null;
        return tag is null && modified is null ? null : new Validators(tag, modified, redirectedTo);
    }

    /// <summary>Makes a request conditional: the answer is 304 if nothing has changed.</summary>
    public void AddTo(HttpRequestMessage request)
    {
        if (ETag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", ETag);
        }

        if (LastModified is { } modified)
        {
            request.Headers.TryAddWithoutValidation("If-Modified-Since", modified.ToString("R", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>True if a 304 is about the body of these validators: it must not name another tag.</summary>
    public bool AreMeantBy(HttpResponseMessage notModified) =>
        ETag is null
            || !notModified.Headers.NonValidated.Contains("ETag")
            || (TagOf(notModified) is { } tag && Opaque(tag).SequenceEqual(Opaque(ETag)));

    /// <summary>
    /// The tag, if there is exactly one and it is valid. A bare <c>*</c> and an empty tag are invalid: every body would
    /// match forever.
    /// </summary>
    private static string? TagOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("ETag", out var values)
            && values.Count == 1
            && values.ToString() is { Length: <= MaxTagChars } tag
            && IsTag(tag)
            ? tag
            : null;

    /// <summary>RFC 9110, section 8.8.3, limited to ASCII.</summary>
    private static bool IsTag(string tag)
    {
        var opaque = Opaque(tag);
        return opaque is ['"', _, .., '"'] && !opaque[1..^1].ContainsAnyExceptInRange('!', '~') && !opaque[1..^1].Contains('"');
    }

    private static ReadOnlySpan<char> Opaque(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag.AsSpan(2) : tag;
}
