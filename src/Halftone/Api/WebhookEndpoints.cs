using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary>
/// <c>POST</c> and <c>GET /webhook</c>, <c>DELETE /webhook/{id}</c>, <c>POST /webhook/{id}/ping</c>,
/// <c>GET /webhook/{id}/deliveries</c>, <c>GET /requests/{id}/deliveries</c>
/// </summary>
internal static class WebhookEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/webhook", PostAsync).Named("postWebhook", "Webhooks")
            .Takes<WebhookBody>("application/json")
            .MayAnswer(
                ProblemType.MalformedRequest,
                ProblemType.InvalidJson,
                ProblemType.InvalidCallbackUrl,
                ProblemType.UnknownRequest,
                ProblemType.StillRunning,
                ProblemType.EventDisagrees,
                ProblemType.NoWebhook, ProblemType.BodyTooLarge, ProblemType.UnsupportedMediaType)
            .MayAnswer(ProblemType.OfWriting);
        routes.MapGet("/webhook", ListAsync).Named("listWebhooks", "Webhooks")
            .MayAnswer(ProblemType.OfReading);
        routes.MapDelete("/webhook/{webhookId}", DeleteAsync).Named("deleteWebhook", "Webhooks")
            .MayAnswer(ProblemType.UnknownWebhook)
            .MayAnswer(ProblemType.OfWriting);
        routes.MapPost("/webhook/{webhookId}/ping", PingAsync).Named("pingWebhook", "Webhooks")
            .MayAnswer(ProblemType.UnknownWebhook, ProblemType.WebhookDisabled)
            .MayAnswer(ProblemType.OfWriting);
        routes.MapGet("/webhook/{webhookId}/deliveries", OfWebhookAsync).Named("listDeliveriesOfWebhook", "Webhooks")
            .MayAnswer(ProblemType.UnknownWebhook)
            .MayAnswer(ProblemType.OfReading);
        routes.MapGet("/requests/{requestId}/deliveries", OfRequestAsync).Named("listDeliveriesOfRequest", "Webhooks")
            .MayAnswer(ProblemType.UnknownRequest)
            .MayAnswer(ProblemType.OfReading);
    }

    /// <summary>Register a webhook, or resend an event</summary>
    /// <remarks>
    /// With `callback_url`, registers an endpoint: for one request if `request_id` is given too, otherwise for every
    /// request of the API key from now on. With `request_id` alone, sends the event of that ended request again to all
    /// its endpoints; a given `status` and `result_url` must match.
    /// </remarks>
    /// <response code="200">Registered, with the secret that signs its deliveries, which is shown only once; or the
    /// event is being sent again.</response>
    private static async Task<Results<Ok<WebhookRegistered>, Ok<WebhookReplayed>, ProblemHttpResult>> PostAsync(
        Caller caller, HttpContext context, WebhookRegistry registry, SafeConnect connect, CancellationToken cancellationToken)
    {
        if (!context.Request.HasJsonContentType())
        {
            return Problems.Of(ProblemType.UnsupportedMediaType, "Send JSON with Content-Type: application/json.");
        }

        WebhookBody? body;
        try
        {
            var bytes = new byte[MaxBodyBytes + 1];
            var length = await context.Request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            if (length > MaxBodyBytes)
            {
                return Problems.Of(ProblemType.BodyTooLarge, $"The body is longer than {MaxBodyBytes:N0} bytes.");
            }

            var json = bytes.AsSpan(0, length);
            body = JsonSerializer.Deserialize(json[JsonBody.MarkLength(json)..], ApiJson.Default.WebhookBody);
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException)
        {
            body = null;
        }

        if (body is not { CallbackUrl: not null } and not { RequestId: not null })
        {
            return Problems.Of(
                ProblemType.InvalidJson,
                "Send {\"callback_url\": \"https://…\"} to register a webhook, or {\"request_id\": \"…\"} to send the event of a "
                + "finished request again.");
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
        Caller caller,
        string callbackUrl,
        Guid? requestId,
        WebhookRegistry registry,
        SafeConnect connect,
        CancellationToken cancellationToken)
    {
        if (await CallbackUrl.ProblemAsync("callback_url", callbackUrl, connect, cancellationToken) is { } problem)
        {
            return Problems.Of(ProblemType.InvalidCallbackUrl, problem);
        }

        return await registry.RegisterAsync(caller.Owner, new Uri(callbackUrl), requestId, cancellationToken) is { } registered
            ? TypedResults.Ok(registered)
            : Problems.UnknownRequest(requestId.ToString()!);
    }

    private static async Task<Results<Ok<WebhookRegistered>, Ok<WebhookReplayed>, ProblemHttpResult>> ReplayAsync(
        Caller caller, Guid requestId, WebhookBody body, WebhookRegistry registry, CancellationToken cancellationToken) =>
        await registry.ReplayAsync(caller.Owner, requestId, body.Status, body.ResultUrl, cancellationToken) switch
        {
            ReplayResult.Sent => TypedResults.Ok(new WebhookReplayed { Message = "The event is being sent again." }),
            ReplayResult.StillRunning =>
                Problems.Of(ProblemType.StillRunning, "The request is still running. Its event is sent when it ends."),
            ReplayResult.Disagrees =>
                Problems.Of(
                    ProblemType.EventDisagrees,
                    "The status or result_url in the body does not match the request. Get its status and use those values."),
            ReplayResult.NoEndpoint =>
                Problems.Of(ProblemType.NoWebhook, "No webhook exists for this request. Register one with a callback_url."),
            _ => Problems.UnknownRequest(requestId.ToString()),
        };

    /// <summary>List the webhooks</summary>
    /// <remarks>The caller's registered webhooks, newest first.</remarks>
    /// <response code="200">All webhooks.</response>
    private static async Task<Ok<WebhookList>> ListAsync(Caller caller, WebhookReader reader, CancellationToken cancellationToken) =>
        TypedResults.Ok(await reader.ListAsync(caller.Owner, cancellationToken));

    /// <summary>Remove a webhook</summary>
    /// <remarks>Removes the webhook and its pending deliveries.</remarks>
    /// <param name="webhookId" example="0192f0c2-11d4-7c0e-9a53-fedcba987654">The `webhook_id` from the answer to the registration.</param>
    /// <response code="204">The webhook is removed.</response>
    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string webhookId,
        Caller caller,
        WebhookRegistry registry,
        CancellationToken cancellationToken) =>
        await registry.RemoveAsync(caller.Owner, webhookId, cancellationToken) ? TypedResults.NoContent() : UnknownWebhook();

    /// <summary>Send a test event</summary>
    /// <remarks>
    /// Sends an event of the type `webhook.ping`, signed like any other, once and without retries. See the deliveries
    /// of the webhook for the outcome; they keep the newest 20 tests.
    /// </remarks>
    /// <param name="webhookId" example="0192f0c2-11d4-7c0e-9a53-fedcba987654">The `webhook_id` from the answer to the registration.</param>
    /// <response code="200">The test event is being sent.</response>
    private static async Task<Results<Ok<WebhookPinged>, ProblemHttpResult>> PingAsync(
        string webhookId,
        Caller caller,
        WebhookRegistry registry,
        CancellationToken cancellationToken) =>
        await registry.PingAsync(caller.Owner, webhookId, cancellationToken) switch
        {
            PingResult.Sent => TypedResults.Ok(new WebhookPinged { Message = "The test event is being sent." }),
            PingResult.Disabled =>
                Problems.Of(
                    ProblemType.WebhookDisabled,
                    "The endpoint answered 410 Gone and receives no more events. Remove the webhook and register it again."),
            _ => UnknownWebhook(),
        };

    /// <summary>List deliveries to a webhook</summary>
    /// <remarks>The newest 100 deliveries with every attempt: time, status and duration.</remarks>
    /// <param name="webhookId" example="0192f0c2-11d4-7c0e-9a53-fedcba987654">The `webhook_id` from the answer to the registration.</param>
    /// <response code="200">The deliveries, newest first.</response>
    private static async Task<Results<Ok<DeliveryList>, ProblemHttpResult>> OfWebhookAsync(
        string webhookId,
        Caller caller,
        WebhookReader reader,
        CancellationToken cancellationToken) =>
        await reader.OfWebhookAsync(caller.Owner, webhookId, cancellationToken) is { } list ? TypedResults.Ok(list) : UnknownWebhook();

    /// <summary>List deliveries of a request</summary>
    /// <remarks>
    /// The newest 100 deliveries of the request's event, including those to the `webhook_url` of its upload, with every
    /// attempt.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200">The deliveries, newest first.</response>
    private static async Task<Results<Ok<DeliveryList>, ProblemHttpResult>> OfRequestAsync(
        string requestId,
        Caller caller,
        WebhookReader reader,
        CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id) && await reader.OfRequestAsync(caller.Owner, id, cancellationToken) is { } list
            ? TypedResults.Ok(list)
            : Problems.UnknownRequest(requestId);

    private static ProblemHttpResult UnknownWebhook() =>
        Problems.Of(ProblemType.UnknownWebhook, "Webhook not found. GET /webhook lists all webhooks.");
}

/// <summary>Body of <c>POST /webhook</c>.</summary>
internal sealed record WebhookBody
{
    /// <summary>The endpoint to register: an absolute http or https URL of at most 2,048 characters.</summary>
    /// <example>https://shop.example/hooks/halftone</example>
    public string? CallbackUrl { get; init; }

    /// <summary>
    /// With `callback_url`: the only request to report; without it, every request. Alone: the ended request whose event
    /// to send again.
    /// </summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public string? RequestId { get; init; }

    /// <summary>With `request_id` alone: must match the status of the request, otherwise the answer is 409.</summary>
    /// <example apart="true">COMPLETED</example>
    public string? Status { get; init; }

    /// <summary>With `request_id` alone: must match the result of the request, otherwise the answer is 409.</summary>
    /// <example apart="true">https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv</example>
    public string? ResultUrl { get; init; }
}

/// <summary>The answer to resending an event.</summary>
internal sealed record WebhookReplayed
{
    /// <summary>A confirmation for people.</summary>
    /// <example>The event is being sent again.</example>
    public required string Message { get; init; }
}

/// <summary>The answer to requesting a test event.</summary>
internal sealed record WebhookPinged
{
    /// <summary>A confirmation for people.</summary>
    /// <example>The test event is being sent.</example>
    public required string Message { get; init; }
}

/// <summary>
/// Checks the URL of a webhook when it is given, so that a typing error is reported at once. It is checked again at
/// every connection.
/// </summary>
internal static class CallbackUrl
{
    private const int MaxChars = 2_048;

    /// <returns>Null, or a sentence that says what is wrong.</returns>
    public static async Task<string?> ProblemAsync(string field, string value, SafeConnect connect, CancellationToken cancellationToken)
    {
        if (value.Length > MaxChars || !StrangersUrl.TryParse(value, out var url) || url.Scheme is not ("http" or "https"))
        {
            return $"'{field}' must be an absolute http or https URL of at most {MaxChars} characters.";
        }

        return await connect.CheckAsync(url, cancellationToken) switch
        {
            null or FetchError.NameLookupFailed or FetchError.ConnectTimedOut => null,
            { } error => $"'{field}' cannot be used ({error.Code}). {AdviceOn(error)}",
        };
    }

    /// <summary>Texts about images speak of files and publishing, so webhooks have their own.</summary>
    private static string AdviceOn(FetchError error) => error switch
    {
        FetchError.InvalidUrl => "Its host is not valid. Correct it.",
        FetchError.PortForbidden =>
            "It uses a port that this server does not allow. Use port 80 or 443, or ask the administrator of this server to allow "
            + "the port.",
        FetchError.AddressForbidden =>
            "It leads to a private network, which this server does not access. Use a URL on the internet, or ask the administrator "
            + "of this server to allow that network.",
        _ => ErrorText.Of(error.Code),
    };
}
