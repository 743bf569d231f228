using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Halftone.Model;

/// <summary>
/// What a host said of a body by which it can be asked later whether that has changed (RFC 9110, sections 8.8 and 13.1). Weak tags will do: what is wanted
/// is whether a picture is still the same picture, which is what caches ask.
/// </summary>
/// <param name="ETag">As it was sent, with its quotes and <c>W/</c>; null where there was none.</param>
/// <param name="LastModified">UTC, to the second; null where there was none that is good for a comparison.</param>
/// <param name="RedirectedTo">The <see cref="PrintOf"/> the URL that said so, where it is not the one that was asked for: no other is asked by them.</param>
internal sealed record Validators(string? ETag, DateTimeOffset? LastModified, string? RedirectedTo)
{
    /// <summary>Longer tags are not kept.</summary>
    private const int MaxTagChars = 256;

    /// <summary>
    /// A file may change twice in a second, and clocks differ: a date says something of a file's bytes only where it was past by then (RFC 9110, section
    /// 8.8.2.2; a minute, as RFC 7232 said).
    /// </summary>
    private static readonly TimeSpan LeastAge = TimeSpan.FromMinutes(1);

    /// <summary>Tells URLs apart that redirects lead to: 128 bits, because such a URL may be long, and signed.</summary>
    public static string PrintOf(Uri url) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)).AsSpan(0, 16));

    /// <summary>What a response with a body says of it; null where that is nothing of use.</summary>
    public static Validators? Of(HttpResponseMessage response, string? redirectedTo)
    {
        var tag = TagOf(response);
        var modified = response.Content.Headers.LastModified is { } last && response.Headers.Date is { } date && date - last >= LeastAge ? last : (DateTimeOffset?)null;
        return tag is null && modified is null ? null : new Validators(tag, modified, redirectedTo);
    }

    /// <summary>Makes a request one that is answered 304 where nothing has changed.</summary>
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

    /// <summary>Whether a 304 speaks of the body that these are of: it must not name another tag.</summary>
    public bool AreMeantBy(HttpResponseMessage notModified) =>
        ETag is null || !notModified.Headers.NonValidated.Contains("ETag") || (TagOf(notModified) is { } tag && Opaque(tag).SequenceEqual(Opaque(ETag)));

    /// <summary>The tag where there is one and it is one. A bare <c>*</c> is none, nor is an empty one: every body would match it for ever.</summary>
    private static string? TagOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("ETag", out var values) && values.Count == 1 && values.ToString() is { Length: <= MaxTagChars } tag && IsTag(tag) ? tag : null;

    /// <summary>RFC 9110, section 8.8.3, without characters beyond ASCII.</summary>
    private static bool IsTag(string tag)
    {
        var opaque = Opaque(tag);
        return opaque is ['"', _, .., '"'] && !opaque[1..^1].ContainsAnyExceptInRange('!', '~') && !opaque[1..^1].Contains('"');
    }

    private static ReadOnlySpan<char> Opaque(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag.AsSpan(2) : tag;
}
