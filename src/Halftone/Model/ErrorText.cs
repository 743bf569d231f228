using System.Collections.Frozen;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>The sentence for each error code, for merchandisers: what happened and what to do.</summary>
internal static class ErrorText
{
    private static readonly FrozenDictionary<string, string> FetchTexts =
        Enum.GetValues<FetchError>().ToFrozenDictionary(error => ErrorCode.Of(error), Of);
    private static readonly FrozenDictionary<string, string> CodecTexts =
        Enum.GetValues<CodecError>().ToFrozenDictionary(error => ErrorCode.Of(error), Of);

    public static string Of(string code) =>
        FetchTexts.GetValueOrDefault(code)
        ?? CodecTexts.GetValueOrDefault(code)
        ?? code switch
        {
            ErrorCode.WorkerCrashed =>
                "The server stopped several times while working on this image and gave up on it. Retry once; if it fails again, "
                + "replace the image.",
            ErrorCode.StoreRefused =>
                "The image store refused this image, usually because it is too large for the plan there. Ask for smaller images "
                + "(a lower quality or max_width), or ask the administrator of this server, whose log has the reason.",
            _ => throw new ArgumentOutOfRangeException(nameof(code), code, "Not an error code."),
        };

    private static string Of(FetchError error) => error switch
    {
        FetchError.InvalidUrl => "Not a valid URL. Correct it in the file.",
        FetchError.SchemeForbidden =>
            "The URL, or one that it redirects to, does not start with http:// or https://. Correct it in the file.",
        FetchError.PortForbidden =>
            "The URL uses a port that this server does not allow. Publish the image on port 80 or 443, or ask the administrator "
            + "of this server to allow the port.",
        FetchError.AddressForbidden =>
            "The URL leads to a private network, which this server does not access. Publish the image on the internet, or ask the "
            + "administrator of this server to allow that network.",
        FetchError.NameNotResolved => "The website does not exist. Check the host name for typing errors.",
        FetchError.NameLookupFailed => "The host name could not be looked up. This is usually temporary: retry later.",
        FetchError.ConnectRefused =>
            "The host refused the connection because no web server is running there. Check the URL, or retry when the site is up.",
        FetchError.ConnectTimedOut =>
            "The host did not accept the connection in time. Retry later; if it keeps failing, the site is down or blocks this "
            + "server.",
        FetchError.ConnectFailed => "The host could not be reached. Retry later.",
        FetchError.TlsFailed =>
            "A secure connection was not possible because the certificate of the site is not valid for this name. Tell the owner "
            + "of the site.",
        FetchError.TlsTimedOut => "The secure connection was not established in time. Retry later.",
        FetchError.HeadersTimedOut => "The host accepted the request but did not answer in time. Retry later.",
        FetchError.ConnectionReset => "The host closed the connection without answering. Retry later.",
        FetchError.BadResponse => "The answer of the host is not valid HTTP. Tell the owner of the site.",
        FetchError.HttpStatus =>
            "The host answered with an error instead of the image. 404: the image is gone, correct the URL. 401 or 403: the image "
            + "is not public. 429 or 5xx: temporary, retry later.",
        FetchError.TooManyRedirects => "The URL redirects too many times. Correct the URL in the file.",
        FetchError.RedirectInvalid => "The host redirects to a URL that is not valid. Correct the URL in the file.",
        FetchError.TooLarge => "The file is larger than this server allows. Publish a smaller one.",
        FetchError.EmptyBody => "The host sent an empty file. Upload the image to the host again.",
        FetchError.BodyTimedOut => "The host did not send the whole image in time. Retry later.",
        FetchError.TooSlow => "The host sent the image too slowly. Retry later.",
        FetchError.BodyCut => "The connection broke before the image was complete. Retry later.",
        FetchError.HostUnavailable =>
            "The host could not be reached several times in a row, so this image was not tried. Retry when the site is up.",
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "Not an error."),
    };

    private static string Of(CodecError error) => error switch
    {
        CodecError.NotAnImage => "This link opens a web page or another file, not an image. Use the direct link to the image.",
        CodecError.UnsupportedFormat =>
            "This image format is not supported. Publish the image as JPEG, PNG, WebP, GIF, AVIF or TIFF.",
        CodecError.CorruptImage => "The image file is damaged or incomplete. Upload it to its host again.",
        CodecError.TooManyPixels =>
            "The image has more pixels than this server allows, or a side too long for the chosen format. Publish a smaller one, "
            + "or set max_width.",
        CodecError.CodecCrashed =>
            "The image crashed the decoder twice, so the file is probably damaged. Save it again in an image editor.",
        CodecError.CodecTimedOut => "The image took too long to compress. Save a smaller version.",
        CodecError.CodecOutOfMemory => "The image needs more memory than one image may use. Publish a smaller one.",
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "Not an error."),
    };
}
