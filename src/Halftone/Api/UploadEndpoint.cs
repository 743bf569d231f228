using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Compress;
using Halftone.Fetch;
using Halftone.Intake;
using Halftone.Model;
using Halftone.Requests;
using Halftone.Telemetry;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Halftone.Api;

/// <summary><c>POST /upload</c></summary>
internal static class UploadEndpoint
{
    private const int MaxIdempotencyKeyChars = 255;

    public static void MapUpload(this IEndpointRouteBuilder routes) => routes.MapPost("/upload", PostAsync)
        .Named("upload", "Requests")
        .Takes<UploadParts>("multipart/form-data")
        .Takes<UploadJson>("application/json")
        .Takes<Stream>(UploadBody.CsvTypes)
        .MayAnswer(
            ProblemType.BrokenBody, ProblemType.BrokenMultipart, ProblemType.MissingFile, ProblemType.SeveralFiles, ProblemType.InvalidJson,
            ProblemType.UnknownField,
            ProblemType.RepeatedField,
            ProblemType.FieldTooLong,
            ProblemType.InvalidWebhookUrl,
            ProblemType.InvalidQuality,
            ProblemType.InvalidFormat,
            ProblemType.InvalidMaxWidth,
            ProblemType.InvalidMaxHeight,
            ProblemType.InvalidVariants,
            ProblemType.InvalidEscapeFormulas,
            ProblemType.InvalidReuse,
            ProblemType.InvalidValidateOnly,
            ProblemType.InvalidIdempotencyKey,
            ProblemType.IdempotencyKeyInUse,
            ProblemType.IdempotencyKeyReused,
            ProblemType.BodyTooLarge, ProblemType.UnsupportedMediaType, ProblemType.TooManyUploads, ProblemType.StoreDown)
        .MayAnswer(ProblemType.OfWriting)
        .MayAnswer(ProblemType.OfFiles);

    /// <summary>Upload a CSV</summary>
    /// <remarks>
    /// Accepts a CSV of products with a column of image URLs and answers at once; the images are fetched, compressed
    /// and stored in the background. The file is the part `file` of a form, the member `csv` of a JSON object, or the
    /// whole body. Options go in the query, or beside the file in the form or object; an option given twice is refused.
    /// Work accepted with 200 survives a crash of the server. A file with a problem is refused as a whole, and all its
    /// problems are reported with line and column, the first 100 in full.
    /// </remarks>
    /// <param name="idempotencyKey" example="catalogue-2026-11-21">Any text of up to 255 characters. Repeating an
    /// upload with the same key within 24 hours returns the first answer instead of creating a second request.</param>
    /// <response code="200">The file was accepted. With `validate_only` it was only checked, and `valid` says whether
    /// it would be accepted.</response>
    private static async Task<Results<Ok<UploadAccepted>, Ok<UploadChecked>, ProblemHttpResult>> PostAsync(
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey,
        Caller caller,
        HttpContext context,
        RequestIntake intake,
        UploadSpool spool,
        SafeConnect connect,
        PublicUrls urls,
        IOptions<IntakeOptions> options,
        IOptions<CompressOptions> compressOptions,
        CancellationToken cancellationToken)
    {
        using var span = Traces.StartCall("upload", context.Request);
        if (idempotencyKey?.Length > MaxIdempotencyKeyChars)
        {
            return Problems.Of(
                ProblemType.InvalidIdempotencyKey,
                $"The Idempotency-Key is longer than {MaxIdempotencyKeyChars} characters.");
        }

        using var place = intake.TryEnter();
        if (place is null)
        {
            context.Response.Headers.RetryAfter = "5";
            return Problems.Of(
                ProblemType.TooManyUploads,
                $"The server is already receiving {options.Value.MaxUploads} uploads (Intake:MaxUploads). Try again in a few seconds.");
        }

        var choices = new IntakeChoices
        {
            Owner = caller.Owner,
            Outputs = new OutputOptions { Quality = compressOptions.Value.Quality },
            IdempotencyKey = string.IsNullOrEmpty(idempotencyKey) ? null : idempotencyKey,
        };
        var form = new UploadForm(choices, connect, options.Value.MaxVariants);
        try
        {
            return await UploadBody.ReadAsync(context.Request, form, spool, cancellationToken) is { } problem ? problem
                : form.ValidateOnly ? TypedResults.Ok(UploadChecked.Of(await intake.CheckAsync(form.Upload!, cancellationToken)))
                : await AcceptAsync(form, intake, urls, cancellationToken);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge(options.Value);
        }
        catch (SpoolTooLargeException)
        {
            return TooLarge(options.Value);
        }
        catch (Exception exception) when (
            exception is InvalidDataException or BadHttpRequestException || (exception is IOException io && !ProblemAnswers.IsDiskFull(io)))
        {
            return Problems.Of(ProblemType.BrokenBody, "The body is damaged or incomplete. Send it again.");
        }
        finally
        {
            if (form is { Upload: { } upload, IsHandedOver: false })
            {
                await spool.DiscardAsync(upload);
            }
        }
    }

    private static ProblemHttpResult TooLarge(IntakeOptions options) =>
        Problems.Of(ProblemType.BodyTooLarge, $"The file is larger than {options.MaxBodyBytes:N0} bytes (Intake:MaxBodyBytes). Split it.");

    private static async Task<Results<Ok<UploadAccepted>, Ok<UploadChecked>, ProblemHttpResult>> AcceptAsync(
        UploadForm form,
        RequestIntake intake,
        PublicUrls urls,
        CancellationToken cancellationToken)
    {
        // From here on, intake discards the upload if it is not accepted.
        form.IsHandedOver = true;
        switch (await intake.AcceptAsync(form.Upload!, form.Choices, cancellationToken))
        {
            case IntakeResult.Accepted accepted:
                return TypedResults.Ok(new UploadAccepted
                {
                    RequestId = accepted.RequestId,
                    Status = RequestState.Pending.ToWire(),
                    StatusUrl = urls.Status(accepted.RequestId),
                    Products = accepted.Products,
                    Images = accepted.Images,
                });
            case IntakeResult.Rejected rejected:
                return Problems.Upload(rejected.Problems);
            case IntakeResult.KeyInUse:
                return Problems.Of(
                    ProblemType.IdempotencyKeyInUse,
                    "An upload with this Idempotency-Key is still in progress. Repeat the call in a moment to get its answer.");
            default:
                return Problems.Of(
                    ProblemType.IdempotencyKeyReused,
                    "This Idempotency-Key was used for another file or other options. Use a new key for a new upload.");
        }
    }
}
