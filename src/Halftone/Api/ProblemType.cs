using Halftone.Catalogue;

namespace Halftone.Api;

/// <summary>A problem type of RFC 9457, shared by all answers with the same cause. docs/errors.md describes each.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The code for programs, in snake_case.</param>
/// <param name="Title">A short title for people.</param>
internal sealed record ProblemType(int Status, string Code, string Title)
{
    private const string BadRequest = "Invalid request";
    private const string Conflict = "Not possible in the current state";

    // The call itself.
    public static readonly ProblemType MalformedRequest = new(400, "bad_request", BadRequest);
    public static readonly ProblemType Unauthorized = new(401, "unauthorized", "API key required");
    public static readonly ProblemType ForeignOrigin = new(403, "foreign_origin", "Cross-site call refused");
    public static readonly ProblemType NotFound = new(404, "not_found", "Not found");
    public static readonly ProblemType MethodNotAllowed = new(405, "method_not_allowed", "Method not allowed");
    public static readonly ProblemType BodyTooLarge = new(413, "body_too_large", "Body too large");
    public static readonly ProblemType UnsupportedMediaType = new(415, "unsupported_media_type", "Unsupported media type");
    public static readonly ProblemType ForeignHost = new(421, "foreign_host", "Wrong host name");
    public static readonly ProblemType TooManyCalls = new(429, "too_many_calls", "Too many calls");
    public static readonly ProblemType InternalError = new(500, "internal_error", "Internal server error");
    public static readonly ProblemType NotReady = new(503, "not_ready", "Not ready");
    public static readonly ProblemType DatabaseDown = new(503, "database_down", "Database unavailable");
    public static readonly ProblemType StoreDown = new(503, "store_down", "File store unavailable");
    public static readonly ProblemType DiskFull = new(507, "disk_full", "Disk full");

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
    public static readonly ProblemType IdempotencyKeyInUse = new(409, "idempotency_key_in_use", "First upload still in progress");
    public static readonly ProblemType IdempotencyKeyReused = new(422, "idempotency_key_reused", "Idempotency key used for another upload");
    public static readonly ProblemType TooManyUploads = new(503, "too_many_uploads", "Too many uploads at once");

    // Requests, their results and images.
    public static readonly ProblemType InvalidLimit = new(400, "invalid_limit", BadRequest);
    public static readonly ProblemType InvalidCursor = new(400, "invalid_cursor", BadRequest);
    public static readonly ProblemType InvalidStatus = new(400, "invalid_status", BadRequest);
    public static readonly ProblemType UnknownRequest = new(404, "unknown_request", "Request not found");
    public static readonly ProblemType UnknownImage = new(404, "unknown_image", "Image not found");
    public static readonly ProblemType AlreadyFinished = new(409, "already_finished", Conflict);
    public static readonly ProblemType StillRunning = new(409, "still_running", Conflict);
    public static readonly ProblemType NothingToRetry = new(409, "nothing_to_retry", "Nothing to retry");
    public static readonly ProblemType NoResultYet = new(409, "no_result_yet", "No result yet");
    public static readonly ProblemType PreconditionFailed = new(412, "precondition_failed", "Resource has changed");
    public static readonly ProblemType RangeNotSatisfiable = new(416, "range_not_satisfiable", "Range not satisfiable");

    // Webhooks.
    public static readonly ProblemType InvalidCallbackUrl = new(400, "invalid_callback_url", BadRequest);
    public static readonly ProblemType UnknownWebhook = new(404, "unknown_webhook", "Webhook not found");
    public static readonly ProblemType EventDisagrees = new(409, "event_disagrees", Conflict);
    public static readonly ProblemType NoWebhook = new(409, "no_webhook", Conflict);
    public static readonly ProblemType WebhookDisabled = new(409, "webhook_disabled", Conflict);

    // The file: its first problem names the answer.
    private static readonly Dictionary<CsvProblemCode, ProblemType> Files =
        Enum.GetValues<CsvProblemCode>().ToDictionary(
            code => code,
            code => new ProblemType(400, CsvProblems.Word(code), "The file was not accepted"));

    /// <summary>One for each <see cref="CsvProblemCode"/>.</summary>
    public static IReadOnlyCollection<ProblemType> OfFiles => Files.Values;

    /// <summary>Answers of a route that reads the database.</summary>
    public static IReadOnlyList<ProblemType> OfReading { get; } = [InternalError, DatabaseDown];

    /// <summary>Answers of a route that writes to the database.</summary>
    public static IReadOnlyList<ProblemType> OfWriting { get; } = [InternalError, DatabaseDown, DiskFull];

    /// <summary>Answers of every call that requires access, see <see cref="Access.AccessGuard"/>.</summary>
    public static IReadOnlyList<ProblemType> OfAccess { get; } = [Unauthorized, ForeignOrigin, ForeignHost, TooManyCalls];

    public static ProblemType Of(CsvProblemCode code) => Files[code];

    /// <summary>The problem of an invalid value in a field of an upload.</summary>
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
