using System.Text.Json;
using Halftone.Access;
using Halftone.Fetch;
using Halftone.Status;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Webhooks;

/// <summary><c>POST</c> and <c>GET /webhook</c>, <c>DELETE /webhook/{id}</c>, <c>GET /webhook/{id}/deliveries</c>, <c>GET /requests/{id}/deliveries</c></summary>
internal static class WebhookEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/webhook", PostAsync);
        routes.MapGet("/webhook", async (Caller caller, WebhookReader reader, CancellationToken cancellationToken) => TypedResults.Ok(await reader.ListAsync(caller.Owner, cancellationToken)));
        routes.MapDelete("/webhook/{webhookId}", DeleteAsync);
        routes.MapGet("/webhook/{webhookId}/deliveries", OfWebhookAsync);
        routes.MapGet("/requests/{requestId}/deliveries", OfRequestAsync);
    }

    /// <summary>One address for the shapes that the field knows: with <c>callback_url</c> it registers, with <c>request_id</c> alone it sends again.</summary>
    private static async Task<Results<Ok<WebhookRegistered>, Ok<WebhookReplayed>, ProblemHttpResult>> PostAsync(
        Caller caller, HttpContext context, WebhookRegistry registry, SafeConnect connect, CancellationToken cancellationToken)
    {
        if (!context.Request.HasJsonContentType())
        {
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "This body is not understood", "Send JSON with Content-Type: application/json.");
        }

        WebhookBody? body;
        try
        {
            var bytes = new byte[MaxBodyBytes + 1];
            var length = await context.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            if (length > MaxBodyBytes)
            {
                return Problems.Of(StatusCodes.Status413PayloadTooLarge, "body_too_large", "The body is too large", $"At most {MaxBodyBytes:N0} bytes are read.");
            }

            body = JsonSerializer.Deserialize(bytes.AsSpan(0, length), ApiJson.Default.WebhookBody);
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException)
        {
            body = null;
        }

        if (body is not { CallbackUrl: not null } and not { RequestId: not null })
        {
            return Problems.BadRequest("invalid_json", "Send {\"callback_url\": \"https://…\"} to register a webhook, or {\"request_id\": \"…\"} to send the event of a finished request again.");
        }

        Guid? requestId = null;
        if (body.RequestId is not null)
        {
            if (!Guid.TryParseExact(body.RequestId, "D", out var id))
            {
                return Problems.UnknownRequest(body.RequestId);
            }

            requestId = id;
        }

        return body.CallbackUrl is not null
            ? await RegisterAsync(caller, body.CallbackUrl, requestId, registry, connect, cancellationToken)
            : await ReplayAsync(caller, requestId!.Value, body, registry, cancellationToken);
    }

    private static async Task<Results<Ok<WebhookRegistered>, Ok<WebhookReplayed>, ProblemHttpResult>> RegisterAsync(
        Caller caller, string callbackUrl, Guid? requestId, WebhookRegistry registry, SafeConnect connect, CancellationToken cancellationToken)
    {
        if (await WebhookUrl.ProblemAsync("callback_url", callbackUrl, connect, cancellationToken) is { } problem)
        {
            return Problems.BadRequest("invalid_callback_url", problem);
        }

        return await registry.RegisterAsync(caller.Owner, new Uri(callbackUrl), requestId, cancellationToken) is { } registered
            ? TypedResults.Ok(registered)
            : Problems.UnknownRequest(requestId.ToString()!);
    }

    private static async Task<Results<Ok<WebhookRegistered>, Ok<WebhookReplayed>, ProblemHttpResult>> ReplayAsync(
        Caller caller, Guid requestId, WebhookBody body, WebhookRegistry registry, CancellationToken cancellationToken) =>
        await registry.ReplayAsync(caller.Owner, requestId, body.Status, body.ResultUrl, cancellationToken) switch
        {
            ReplayResult.Sent => TypedResults.Ok(new WebhookReplayed("The event is sent again.")),
            ReplayResult.StillRunning => Conflict("still_running", "The request is still running: its event is sent when it ends."),
            ReplayResult.Disagrees => Conflict("event_disagrees", "The status or result_url in the body is not the request's: ask its status."),
            ReplayResult.NoEndpoint => Conflict("no_webhook", "No webhook is known for this request: register one with a callback_url."),
            _ => Problems.UnknownRequest(requestId.ToString()),
        };

    private static ProblemHttpResult Conflict(string code, string detail) => Problems.Of(StatusCodes.Status409Conflict, code, "Not possible now", detail);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string webhookId, Caller caller, WebhookRegistry registry, CancellationToken cancellationToken) =>
        await registry.RemoveAsync(caller.Owner, webhookId, cancellationToken) ? TypedResults.NoContent() : UnknownWebhook();

    private static async Task<Results<Ok<DeliveryList>, ProblemHttpResult>> OfWebhookAsync(string webhookId, Caller caller, WebhookReader reader, CancellationToken cancellationToken) =>
        await reader.OfWebhookAsync(caller.Owner, webhookId, cancellationToken) is { } list ? TypedResults.Ok(list) : UnknownWebhook();

    private static async Task<Results<Ok<DeliveryList>, ProblemHttpResult>> OfRequestAsync(string requestId, Caller caller, WebhookReader reader, CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id) && await reader.OfRequestAsync(caller.Owner, id, cancellationToken) is { } list
            ? TypedResults.Ok(list)
            : Problems.UnknownRequest(requestId);

    private static ProblemHttpResult UnknownWebhook() =>
        Problems.Of(StatusCodes.Status404NotFound, "unknown_webhook", "There is no such webhook", "No webhook of this id is known: GET /webhook lists them.");
}

/// <summary>What may be posted to <c>/webhook</c>.</summary>
internal sealed record WebhookBody
{
    public string? CallbackUrl { get; init; }
    public string? RequestId { get; init; }
    public string? Status { get; init; }
    public string? ResultUrl { get; init; }
}

internal sealed record WebhookReplayed(string Message);

/// <summary>A webhook's address is judged when it is given, so that a typing error is told at once, and again at every connection.</summary>
internal static class WebhookUrl
{
    private const int MaxChars = 2_048;

    /// <returns>Null, or a sentence that says what is wrong.</returns>
    public static async Task<string?> ProblemAsync(string field, string value, SafeConnect connect, CancellationToken cancellationToken)
    {
        if (value.Length > MaxChars || !Uri.TryCreate(value, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            return $"'{field}' must be an absolute http or https URL of at most {MaxChars} characters.";
        }

        return await connect.CheckAsync(url, cancellationToken) switch
        {
            null or FetchError.NameLookupFailed or FetchError.ConnectTimedOut => null,
            { } error => $"'{field}' cannot be called ({error.Code}). {ErrorText.Of(error.Code)}",
        };
    }
}
