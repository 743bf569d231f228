using Halftone.Catalogue;

namespace Halftone.Api;

/// <summary>A problem type of RFC 9457: what all answers have in common that say the same is wrong. docs/errors/ has a page for each.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The word for programs, in snake_case.</param>
/// <param name="Title">The same for people, in a few words.</param>
internal sealed record ProblemType(int Status, string Code, string Title)
{
    private const string BadRequest = "The request cannot be used";
    private const string Conflict = "Not possible now";

    // The call itself.
    public static readonly ProblemType MalformedRequest = new(400, "bad_request", BadRequest);
    public static readonly ProblemType Unauthorized = new(401, "unauthorized", "An API key is needed");
    public static readonly ProblemType ForeignOrigin = new(403, "foreign_origin", "Called by a foreign page");
    public static readonly ProblemType NotFound = new(404, "not_found", "There is nothing here");
    public static readonly ProblemType MethodNotAllowed = new(405, "method_not_allowed", "Wrong method");
    public static readonly ProblemType BodyTooLarge = new(413, "body_too_large", "The body is too large");
    public static readonly ProblemType UnsupportedMediaType = new(415, "unsupported_media_type", "This body is not understood");
    public static readonly ProblemType ForeignHost = new(421, "foreign_host", "Wrong host name");
    public static readonly ProblemType TooManyCalls = new(429, "too_many_calls", "Too many calls");
    public static readonly ProblemType InternalError = new(500, "internal_error", "Something went wrong here");
    public static readonly ProblemType NotReady = new(503, "not_ready", "Not ready");
    public static readonly ProblemType DatabaseDown = new(503, "database_down", "The database does not answer");
    public static readonly ProblemType StoreDown = new(503, "store_down", "The store of files does not answer");
    public static readonly ProblemType DiskFull = new(507, "disk_full", "The disk is full");

    // The body of an upload.
    public static readonly ProblemType BrokenBody = new(400, "broken_body", BadRequest);
    public static readonly ProblemType BrokenMultipart = new(400, "broken_multipart", BadRequest);
    public static readonly ProblemType MissingFile = new(400, "missing_file", BadRequest);
    public static readonly ProblemType SeveralFiles = new(400, "several_files", BadRequest);
    public static readonly ProblemType InvalidJson = new(400, "invalid_json", BadRequest);
    public static readonly ProblemType UnknownField = new(400, "unknown_field", BadRequest);
    public static readonly ProblemType RepeatedField = new(400, "repeated_field", BadRequest);
    public static readonly ProblemType FieldTooLong = new(400, "field_too_long", BadRequest);
    public static readonly ProblemType InvalidWebhookUrl = new(400, "invalid_webhook_url", BadRequest);
    public static readonly ProblemType InvalidQuality = new(400, "invalid_quality", BadRequest);
    public static readonly ProblemType InvalidFormat = new(400, "invalid_format", BadRequest);
    public static readonly ProblemType InvalidMaxWidth = new(400, "invalid_max_width", BadRequest);
    public static readonly ProblemType InvalidMaxHeight = new(400, "invalid_max_height", BadRequest);
    public static readonly ProblemType InvalidVariants = new(400, "invalid_variants", BadRequest);
    public static readonly ProblemType InvalidEscapeFormulas = new(400, "invalid_escape_formulas", BadRequest);
    public static readonly ProblemType InvalidReuse = new(400, "invalid_reuse", BadRequest);
    public static readonly ProblemType InvalidValidateOnly = new(400, "invalid_validate_only", BadRequest);
    public static readonly ProblemType InvalidIdempotencyKey = new(400, "invalid_idempotency_key", BadRequest);
    public static readonly ProblemType IdempotencyKeyInUse = new(409, "idempotency_key_in_use", "The first upload is still being read");
    public static readonly ProblemType IdempotencyKeyReused = new(422, "idempotency_key_reused", "The key belongs to another upload");
    public static readonly ProblemType TooManyUploads = new(503, "too_many_uploads", "Too many uploads at once");

    // Requests, their results and images.
    public static readonly ProblemType InvalidLimit = new(400, "invalid_limit", BadRequest);
    public static readonly ProblemType InvalidCursor = new(400, "invalid_cursor", BadRequest);
    public static readonly ProblemType InvalidStatus = new(400, "invalid_status", BadRequest);
    public static readonly ProblemType UnknownRequest = new(404, "unknown_request", "There is no such request");
    public static readonly ProblemType UnknownImage = new(404, "unknown_image", "There is no such image");
    public static readonly ProblemType AlreadyFinished = new(409, "already_finished", Conflict);
    public static readonly ProblemType StillRunning = new(409, "still_running", Conflict);
    public static readonly ProblemType NothingToRetry = new(409, "nothing_to_retry", "Nothing to retry");
    public static readonly ProblemType NoResultYet = new(409, "no_result_yet", "There is no result yet");
    public static readonly ProblemType PreconditionFailed = new(412, "precondition_failed", "It is another one now");
    public static readonly ProblemType RangeNotSatisfiable = new(416, "range_not_satisfiable", "There are no such bytes");

    // Webhooks.
    public static readonly ProblemType InvalidCallbackUrl = new(400, "invalid_callback_url", BadRequest);
    public static readonly ProblemType UnknownWebhook = new(404, "unknown_webhook", "There is no such webhook");
    public static readonly ProblemType EventDisagrees = new(409, "event_disagrees", Conflict);
    public static readonly ProblemType NoWebhook = new(409, "no_webhook", Conflict);
    public static readonly ProblemType WebhookDisabled = new(409, "webhook_disabled", Conflict);

    // The file: the first of its problems names the answer.
    private static readonly Dictionary<CsvProblemCode, ProblemType> Files =
        Enum.GetValues<CsvProblemCode>().ToDictionary(code => code, code => new ProblemType(400, CsvProblems.Word(code), "The file was not accepted"));

    /// <summary>One for each <see cref="CsvProblemCode"/>.</summary>
    public static IReadOnlyCollection<ProblemType> OfFiles => Files.Values;

    /// <summary>What a route that reads the database may answer.</summary>
    public static IReadOnlyList<ProblemType> OfReading { get; } = [InternalError, DatabaseDown];

    /// <summary>What a route that writes to the database may answer.</summary>
    public static IReadOnlyList<ProblemType> OfWriting { get; } = [InternalError, DatabaseDown, DiskFull];

    /// <summary>What every call may be answered that is not for anyone: see <see cref="Access.AccessGuard"/>.</summary>
    public static IReadOnlyList<ProblemType> OfAccess { get; } = [Unauthorized, ForeignOrigin, ForeignHost, TooManyCalls];

    public static ProblemType Of(CsvProblemCode code) => Files[code];

    /// <summary>Of a field of an upload whose value is of no use.</summary>
    /// <param name="field">One of <see cref="UploadForm.Fields"/>.</param>
    public static ProblemType OfField(string field) => field switch
    {
        "webhook_url" => InvalidWebhookUrl,
        "quality" => InvalidQuality,
        "format" => InvalidFormat,
        "max_width" => InvalidMaxWidth,
        "max_height" => InvalidMaxHeight,
        "variants" => InvalidVariants,
        "escape_formulas" => InvalidEscapeFormulas,
        "reuse" => InvalidReuse,
        "validate_only" => InvalidValidateOnly,
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "Not a field."),
    };
}
