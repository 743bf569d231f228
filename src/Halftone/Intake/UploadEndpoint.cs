using System.Globalization;
using Halftone.Access;
using Halftone.Compress;
using Halftone.Fetch;
using Halftone.Status;
using Halftone.Store;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Halftone.Intake;

/// <summary><c>POST /upload</c>: multipart with the part <c>file</c> and form fields before or after it.</summary>
internal static class UploadEndpoint
{
    private const int MaxFieldBytes = 8 * 1024;
    private const int MaxParts = 32;
    private const int MaxIdempotencyKeyChars = 255;
    private static readonly string[] Fields = ["webhook_url", "quality", "format", "escape_formulas"];

    public static void MapUpload(this IEndpointRouteBuilder routes) => routes.MapPost("/upload", PostAsync);

    private static async Task<Results<Ok<UploadAccepted>, ProblemHttpResult>> PostAsync(
        HttpContext context, RequestIntake intake, SafeConnect connect, PublicUrls urls, IOptions<IntakeOptions> options, IOptions<CompressOptions> compressOptions, CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return Problems.Of(
                StatusCodes.Status415UnsupportedMediaType,
                "unsupported_media_type",
                "This body is not understood",
                "Send the CSV as multipart/form-data in a part named 'file', for example: curl -F file=@products.csv …/upload");
        }

        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
        {
            return Problems.BadRequest("broken_multipart", "The Content-Type has no usable boundary.");
        }

        var idempotencyKey = request.Headers["Idempotency-Key"].ToString() is { Length: > 0 } key ? key : null;
        if (idempotencyKey?.Length > MaxIdempotencyKeyChars)
        {
            return Problems.BadRequest("invalid_idempotency_key", $"The Idempotency-Key is longer than {MaxIdempotencyKeyChars} characters.");
        }

        // The body's own limit; Kestrel answers a larger Content-Length before anything is read.
        if (context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = options.Value.MaxBodyBytes;
        }

        var form = new UploadForm(new IntakeChoices { Owner = AccessGuard.Nobody, Quality = compressOptions.Value.Quality, IdempotencyKey = idempotencyKey });
        try
        {
            return await ReadPartsAsync(new MultipartReader(boundary, request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 16 * 1024 }, form, intake, connect, cancellationToken) is { } problem
                ? problem
                : await AcceptAsync(form, intake, urls, cancellationToken);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Problems.Of(exception.StatusCode, "body_too_large", "The file is too large", $"A body of at most {options.Value.MaxBodyBytes:N0} bytes is accepted (Intake:MaxBodyBytes): split the file.");
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException || (exception is IOException && exception.Message.Contains("Multipart", StringComparison.OrdinalIgnoreCase)))
        {
            return Problems.BadRequest("broken_multipart", "The multipart body is broken or was cut short: send it again.");
        }
        finally
        {
            if (form is { Upload: { } upload, IsAccepted: false })
            {
                await intake.DiscardAsync(upload);
            }
        }
    }

    /// <summary>Spools the file and remembers the fields, in whatever order they come.</summary>
    private static async Task<ProblemHttpResult?> ReadPartsAsync(MultipartReader reader, UploadForm form, RequestIntake intake, SafeConnect connect, CancellationToken cancellationToken)
    {
        for (var parts = 0; await reader.ReadNextSectionAsync(cancellationToken) is { } section; parts++)
        {
            if (parts == MaxParts)
            {
                return Problems.BadRequest("too_many_parts", $"At most {MaxParts} parts are read: send the CSV in one part named 'file'.");
            }

            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || disposition.Name.Length == 0)
            {
                return Problems.BadRequest("broken_multipart", "A part has no name: send the CSV in a part named 'file'.");
            }

            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value!;
            var problem = name == "file"
                ? await SpoolAsync(section, disposition, form, intake, cancellationToken)
                : await ReadFieldAsync(section, name, form, connect, cancellationToken);
            if (problem is not null)
            {
                return problem;
            }
        }

        return form.Upload is null ? Problems.BadRequest("missing_file", "There is no part named 'file': send the CSV in it.") : null;
    }

    private static async Task<ProblemHttpResult?> SpoolAsync(MultipartSection section, ContentDispositionHeaderValue disposition, UploadForm form, RequestIntake intake, CancellationToken cancellationToken)
    {
        if (form.Upload is not null)
        {
            return Problems.BadRequest("several_files", "There are two parts named 'file': send one CSV per request.");
        }

        var fileName = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).Value;
        form.Upload = await intake.SpoolAsync(section.Body, string.IsNullOrWhiteSpace(fileName) ? "upload.csv" : fileName, cancellationToken);
        return null;
    }

    private static async Task<ProblemHttpResult?> ReadFieldAsync(MultipartSection section, string name, UploadForm form, SafeConnect connect, CancellationToken cancellationToken)
    {
        if (!Fields.Contains(name, StringComparer.Ordinal))
        {
            return Problems.BadRequest("unknown_field", $"The form field '{Shorten(name)}' is not known: allowed are file, {string.Join(", ", Fields)}.");
        }

        var buffer = new byte[MaxFieldBytes + 1];
        var length = await section.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > MaxFieldBytes)
        {
            return Problems.BadRequest("field_too_long", $"The form field '{name}' is longer than {MaxFieldBytes:N0} bytes.");
        }

        var value = System.Text.Encoding.UTF8.GetString(buffer, 0, length).Trim();
        var problem = name == "webhook_url" && value.Length > 0 ? await WebhookUrl.ProblemAsync(name, value, connect, cancellationToken) : null;
        problem ??= form.Set(name, value);
        return problem is null ? null : Problems.BadRequest($"invalid_{name}", problem);
    }

    private static async Task<Results<Ok<UploadAccepted>, ProblemHttpResult>> AcceptAsync(UploadForm form, RequestIntake intake, PublicUrls urls, CancellationToken cancellationToken)
    {
        switch (await intake.AcceptAsync(form.Upload!, form.Choices, cancellationToken))
        {
            case IntakeResult.Accepted accepted:
                form.IsAccepted = true;
                return TypedResults.Ok(new UploadAccepted
                {
                    RequestId = accepted.RequestId,
                    Status = RequestState.ToWire("pending"),
                    StatusUrl = urls.Status(accepted.RequestId),
                    Products = accepted.Products,
                    Images = accepted.Images,
                });
            case IntakeResult.Rejected rejected:
                return Problems.Upload([.. rejected.Problems.Listed.Select(ToWire)], rejected.Problems.Count);
            case IntakeResult.KeyInUse:
                return Problems.Of(StatusCodes.Status409Conflict, "idempotency_key_in_use", "The first upload is still being read", "An upload with this Idempotency-Key is still being taken in: repeat the call in a moment for its answer.");
            default:
                return Problems.Of(StatusCodes.Status422UnprocessableEntity, "idempotency_key_reused", "The key belongs to another upload", "This Idempotency-Key was used for another file or other options: use a new key for a new upload.");
        }
    }

    private static UploadProblem ToWire(CsvProblem problem) => new()
    {
        Line = problem.Line == 0 ? null : problem.Line,
        Column = problem.Column,
        Code = CsvProblems.Word(problem.Code),
        Message = problem.Message,
    };

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";

    /// <summary>What was read of the body so far.</summary>
    private sealed class UploadForm(IntakeChoices choices)
    {
        public SpooledUpload? Upload { get; set; }

        /// <summary>The upload has become a request: it is not to be discarded any more.</summary>
        public bool IsAccepted { get; set; }

        public IntakeChoices Choices { get; private set; } = choices;

        /// <summary>Null, or a sentence that says what is allowed. An empty value is no value.</summary>
        public string? Set(string field, string value) => (field, value) switch
        {
            (_, "") => null,
            ("webhook_url", _) => SetWebhookUrl(new Uri(value)),
            ("quality", _) => SetQuality(value),
            ("format", _) => SetFormat(value),
            _ => SetEscapeFormulas(value),
        };

        private string? SetWebhookUrl(Uri url)
        {
            Choices = Choices with { WebhookUrl = url };
            return null;
        }

        private string? SetQuality(string value)
        {
            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var quality) || quality is < 1 or > 100)
            {
                return "'quality' must be a whole number from 1 to 100; 50 is the default.";
            }

            Choices = Choices with { Quality = quality };
            return null;
        }

        private string? SetFormat(string value)
        {
            var format = value.ToLowerInvariant();
            if (format != "keep" && !FormatName.Known.Contains(format))
            {
                return $"'format' must be keep (the default) or one of {string.Join(", ", FormatName.Known)}.";
            }

            Choices = Choices with { Format = format == "keep" ? null : format };
            return null;
        }

        private string? SetEscapeFormulas(string value)
        {
            if (!bool.TryParse(value, out var escape))
            {
                return "'escape_formulas' must be true or false; false is the default.";
            }

            Choices = Choices with { EscapeFormulas = escape };
            return null;
        }
    }
}
