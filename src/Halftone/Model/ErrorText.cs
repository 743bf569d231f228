using System.Collections.Frozen;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>What each error code tells a merchandiser: what happened, and what to do about it.</summary>
internal static class ErrorText
{
    private static readonly FrozenDictionary<string, string> FetchTexts = Enum.GetValues<FetchError>().ToFrozenDictionary(error => ErrorCode.Of(error), Of);
    private static readonly FrozenDictionary<string, string> CodecTexts = Enum.GetValues<CodecError>().ToFrozenDictionary(error => ErrorCode.Of(error), Of);

    public static string Of(string code) =>
        FetchTexts.GetValueOrDefault(code)
        ?? CodecTexts.GetValueOrDefault(code)
        ?? code switch
        {
            ErrorCode.WorkerCrashed => "The server gave up on this image after it had stopped several times while working on it. Retry once; if it stays, the image itself is the cause: replace it.",
            ErrorCode.StoreRefused => "The place where the images are stored does not take this one: mostly it is too large for the plan there. Ask for smaller images (a lower quality or max_width), or ask whoever runs this server, whose log has the reason.",
            _ => throw new ArgumentOutOfRangeException(nameof(code), code, "Not an error code."),
        };

    private static string Of(FetchError error) => error switch
    {
        FetchError.InvalidUrl => "This is not a web address that can be called. Correct the URL in the file.",
        FetchError.SchemeForbidden => "Only http and https addresses are fetched, and this one, or where it leads, is neither. Correct the URL in the file.",
        FetchError.PortForbidden => "The address uses a port that is not called. Publish the image on port 80 or 443, or ask whoever runs this server to allow the port.",
        FetchError.AddressForbidden => "The address lies in a private network, which this server does not call. Publish the image on the internet, or ask whoever runs this server to open that network.",
        FetchError.NameNotResolved => "There is no website of this name. Check the host name for a typing error.",
        FetchError.NameLookupFailed => "The host's name could not be looked up just now. Retry later.",
        FetchError.ConnectRefused => "The host refused the connection: no web server is running there. Check the address, or retry when the site is up.",
        FetchError.ConnectTimedOut => "The host did not take the connection in time. Retry later; if it stays, the site is down or shields itself from this server.",
        FetchError.ConnectFailed => "The host could not be reached. Retry later.",
        FetchError.TlsFailed => "No secure connection was possible: the site's certificate is not valid for this name. Tell whoever runs the site.",
        FetchError.TlsTimedOut => "The secure connection was not set up in time. Retry later.",
        FetchError.HeadersTimedOut => "The host took the request and did not answer in time. Retry later.",
        FetchError.ConnectionReset => "The host broke off the connection without an answer. Retry later.",
        FetchError.BadResponse => "What the host answered is not proper HTTP. Tell whoever runs the site.",
        FetchError.HttpStatus => "The host answered with an error instead of the image. 404 means that the image is gone: correct the URL. 401 and 403 mean that it is not public. 429 and 5xx pass: retry later.",
        FetchError.TooManyRedirects => "The address leads from one to the next without end. Correct the URL in the file.",
        FetchError.RedirectInvalid => "The host sends on to an address that cannot be used. Correct the URL in the file.",
        FetchError.TooLarge => "The file is larger than this server takes. Publish a smaller one.",
        FetchError.EmptyBody => "The host sent an empty file. Upload the image to the host again.",
        FetchError.BodyTimedOut => "The host did not send the whole image in time. Retry later.",
        FetchError.TooSlow => "The host sent the image so slowly that it was given up. Retry later.",
        FetchError.BodyCut => "The connection broke before the image was complete. Retry later.",
        FetchError.HostUnavailable => "The host could not be reached several times in a row, so this image was not tried. Retry when the site is up.",
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "Not an error."),
    };

    private static string Of(CodecError error) => error switch
    {
        CodecError.NotAnImage => "What the address gives is no image; often it is a web page. Use the address of the picture itself.",
        CodecError.UnsupportedFormat => "This image format is not supported. Publish the image as JPEG, PNG, WebP, GIF, AVIF or TIFF.",
        CodecError.CorruptImage => "The image file is damaged or incomplete. Upload it to its host again.",
        CodecError.TooManyPixels => "The image has more pixels than this server takes, or a longer side than the wanted format can have. Publish a smaller one, or ask for a max_width.",
        CodecError.CodecCrashed => "The image made the decoder fail, twice. The file is most likely damaged: save it anew.",
        CodecError.CodecTimedOut => "The image took too long to compress. Save it smaller or anew.",
        CodecError.CodecOutOfMemory => "The image needs more memory than one image may have. Publish a smaller one.",
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "Not an error."),
    };
}
