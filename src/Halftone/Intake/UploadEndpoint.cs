using Halftone.Access;
using Halftone.Compress;
using Halftone.Fetch;
using Halftone.Status;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Halftone.Intake;

/// <summary><c>POST /upload</c></summary>
internal static class UploadEndpoint
{
    private const int MaxIdempotencyKeyChars = 255;

    public static void MapUpload(this IEndpointRouteBuilder routes) => routes.MapPost("/upload", PostAsync);

    private static async Task<Results<Ok<UploadAccepted>, Ok<UploadChecked>, ProblemHttpResult>> PostAsync(
        Caller caller, HttpContext context, RequestIntake intake, SafeConnect connect, PublicUrls urls, IOptions<IntakeOptions> options, IOptions<CompressOptions> compressOptions, CancellationToken cancellationToken)
    {
        var idempotencyKey = context.Request.Headers["Idempotency-Key"].ToString() is { Length: > 0 } key ? key : null;
        if (idempotencyKey?.Length > MaxIdempotencyKeyChars)
        {
            return Problems.BadRequest("invalid_idempotency_key", $"The Idempotency-Key is longer than {MaxIdempotencyKeyChars} characters.");
        }

        using var place = intake.TryEnter();
        if (place is null)
        {
            context.Response.Headers.RetryAfter = "5";
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "too_many_uploads", "Too many uploads at once", $"{options.Value.MaxUploads} uploads are being taken in (Intake:MaxUploads): repeat the call in some seconds.");
        }

        var form = new UploadForm(new IntakeChoices { Owner = caller.Owner, Quality = compressOptions.Value.Quality, IdempotencyKey = idempotencyKey }, connect);
        try
        {
            return await UploadBody.ReadAsync(context.Request, form, intake, cancellationToken) is { } problem ? problem
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
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException || (exception is IOException io && !ProblemAnswers.IsDiskFull(io)))
        {
            return Problems.BadRequest("broken_body", "The body is broken or was cut short: send it again.");
        }
        finally
        {
            if (form is { Upload: { } upload, IsHandedOver: false })
            {
                await intake.DiscardAsync(upload);
            }
        }
    }

    private static ProblemHttpResult TooLarge(IntakeOptions options) => Problems.Of(
        StatusCodes.Status413PayloadTooLarge, "body_too_large", "The file is too large", $"A file of at most {options.MaxBodyBytes:N0} bytes is accepted (Intake:MaxBodyBytes): split it.");

    private static async Task<Results<Ok<UploadAccepted>, Ok<UploadChecked>, ProblemHttpResult>> AcceptAsync(UploadForm form, RequestIntake intake, PublicUrls urls, CancellationToken cancellationToken)
    {
        // From here on intake itself discards what is not accepted.
        form.IsHandedOver = true;
        switch (await intake.AcceptAsync(form.Upload!, form.Choices, cancellationToken))
        {
            case IntakeResult.Accepted accepted:
                return TypedResults.Ok(new UploadAccepted
                {
                    RequestId = accepted.RequestId,
                    Status = RequestState.ToWire("pending"),
                    StatusUrl = urls.Status(accepted.RequestId),
                    Products = accepted.Products,
                    Images = accepted.Images,
                });
            case IntakeResult.Rejected rejected:
                return Problems.Upload(UploadProblem.Of(rejected.Problems), rejected.Problems.Count);
            case IntakeResult.KeyInUse:
                return Problems.Of(StatusCodes.Status409Conflict, "idempotency_key_in_use", "The first upload is still being read", "An upload with this Idempotency-Key is still being taken in: repeat the call in a moment for its answer.");
            default:
                return Problems.Of(StatusCodes.Status422UnprocessableEntity, "idempotency_key_reused", "The key belongs to another upload", "This Idempotency-Key was used for another file or other options: use a new key for a new upload.");
        }
    }
}
