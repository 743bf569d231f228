using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Webhooks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary><c>POST</c> and <c>GET /webhook</c>, <c>DELETE /webhook/{id}</c>, <c>POST /webhook/{id}/ping</c>, <c>GET /webhook/{id}/deliveries</c>, <c>GET /requests/{id}/deliveries</c></summary>
internal static class WebhookEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/webhook", PostAsync).Named("postWebhook", "Webhooks")
            .Takes<WebhookBody>("application/json")
            .MayAnswer(
                ProblemType.MalformedRequest, ProblemType.InvalidJson, ProblemType.InvalidCallbackUrl, ProblemType.UnknownRequest, ProblemType.StillRunning, ProblemType.EventDisagrees,
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

    /// <summary>Register a webhook, or send an event again</summary>
    /// <remarks>
    /// With `callback_url` it registers an endpoint, for one request where `request_id` stands beside it and else for every request of the API key from now
    /// on. With `request_id` alone it sends the event of that ended request again, to all its endpoints; a `status` and `result_url` beside it must agree.
    /// </remarks>
    /// <response code="200">Registered, with the secret that signs its deliveries, shown this once; or the event is sent again.</response>
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
                return Problems.Of(ProblemType.BodyTooLarge, $"At most {MaxBodyBytes:N0} bytes are read.");
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
            return Problems.Of(ProblemType.InvalidJson, "Send {\"callback_url\": \"https://…\"} to register a webhook, or {\"request_id\": \"…\"} to send the event of a finished request again.");
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
            ReplayResult.Sent => TypedResults.Ok(new WebhookReplayed { Message = "The event is sent again." }),
            ReplayResult.StillRunning => Problems.Of(ProblemType.StillRunning, "The request is still running: its event is sent when it ends."),
            ReplayResult.Disagrees => Problems.Of(ProblemType.EventDisagrees, "The status or result_url in the body is not the request's: ask its status."),
            ReplayResult.NoEndpoint => Problems.Of(ProblemType.NoWebhook, "No webhook is known for this request: register one with a callback_url."),
            _ => Problems.UnknownRequest(requestId.ToString()),
        };

    /// <summary>List the webhooks</summary>
    /// <remarks>The caller's registered webhooks, the newest first.</remarks>
    /// <response code="200">All of them.</response>
    private static async Task<Ok<WebhookList>> ListAsync(Caller caller, WebhookReader reader, CancellationToken cancellationToken) =>
        TypedResults.Ok(await reader.ListAsync(caller.Owner, cancellationToken));

    /// <summary>Remove a webhook</summary>
    /// <remarks>Removes it, and what was still to be sent to it.</remarks>
    /// <param name="webhookId" example="0192f0c2-11d4-7c0e-9a53-fedcba987654">As the registration answered it.</param>
    /// <response code="204">Nothing more is sent to it.</response>
    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string webhookId, Caller caller, WebhookRegistry registry, CancellationToken cancellationToken) =>
        await registry.RemoveAsync(caller.Owner, webhookId, cancellationToken) ? TypedResults.NoContent() : UnknownWebhook();

    /// <summary>Send a test event</summary>
    /// <remarks>
    /// Sends an event of the type `webhook.ping`, signed like any other, once and without a retry. The deliveries of the webhook tell what became of it; the newest
    /// 20 tests are kept there.
    /// </remarks>
    /// <param name="webhookId" example="0192f0c2-11d4-7c0e-9a53-fedcba987654">As the registration answered it.</param>
    /// <response code="200">It is on its way.</response>
    private static async Task<Results<Ok<WebhookPinged>, ProblemHttpResult>> PingAsync(string webhookId, Caller caller, WebhookRegistry registry, CancellationToken cancellationToken) =>
        await registry.PingAsync(caller.Owner, webhookId, cancellationToken) switch
        {
            PingResult.Sent => TypedResults.Ok(new WebhookPinged { Message = "The test event is on its way." }),
            PingResult.Disabled => Problems.Of(ProblemType.WebhookDisabled, "The endpoint answered 410 Gone and is sent nothing any more: remove the webhook and register it anew."),
            _ => UnknownWebhook(),
        };

    /// <summary>Deliveries to a webhook</summary>
    /// <remarks>The newest 100 deliveries with every attempt: when, with which status, how long it took.</remarks>
    /// <param name="webhookId" example="0192f0c2-11d4-7c0e-9a53-fedcba987654">As the registration answered it.</param>
    /// <response code="200">The deliveries, the newest first.</response>
    private static async Task<Results<Ok<DeliveryList>, ProblemHttpResult>> OfWebhookAsync(string webhookId, Caller caller, WebhookReader reader, CancellationToken cancellationToken) =>
        await reader.OfWebhookAsync(caller.Owner, webhookId, cancellationToken) is { } list ? TypedResults.Ok(list) : UnknownWebhook();

    /// <summary>Deliveries of a request</summary>
    /// <remarks>The newest 100 deliveries of the request's event, to the `webhook_url` of its upload too, with every attempt.</remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">As the upload answered it.</param>
    /// <response code="200">The deliveries, the newest first.</response>
    private static async Task<Results<Ok<DeliveryList>, ProblemHttpResult>> OfRequestAsync(string requestId, Caller caller, WebhookReader reader, CancellationToken cancellationToken) =>
        Guid.TryParseExact(requestId, "D", out var id) && await reader.OfRequestAsync(caller.Owner, id, cancellationToken) is { } list
            ? TypedResults.Ok(list)
            : Problems.UnknownRequest(requestId);

    private static ProblemHttpResult UnknownWebhook() =>
        Problems.Of(ProblemType.UnknownWebhook, "No webhook of this id is known: GET /webhook lists them.");
}

/// <summary>What may be posted to <c>/webhook</c>.</summary>
internal sealed record WebhookBody
{
    /// <summary>The endpoint to register: an absolute http or https URL of at most 2,048 characters.</summary>
    /// <example>https://shop.example/hooks/halftone</example>
    public string? CallbackUrl { get; init; }

    /// <summary>With `callback_url`: the one request to hear of; without it every request. Alone: the ended request whose event to send again.</summary>
    /// <example>0192f0c1-7a3e-7bbb-8c4d-0123456789ab</example>
    public string? RequestId { get; init; }

    /// <summary>Beside `request_id` alone: must be the request's status, or 409 is answered.</summary>
    /// <example apart="true">COMPLETED</example>
    public string? Status { get; init; }

    /// <summary>Beside `request_id` alone: must be the request's, or 409 is answered.</summary>
    /// <example apart="true">https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv</example>
    public string? ResultUrl { get; init; }
}

/// <summary>The answer to sending an event again.</summary>
internal sealed record WebhookReplayed
{
    /// <summary>Says so, for people.</summary>
    /// <example>The event is sent again.</example>
    public required string Message { get; init; }
}

/// <summary>The answer to asking for a test event.</summary>
internal sealed record WebhookPinged
{
    /// <summary>Says so, for people.</summary>
    /// <example>The test event is on its way.</example>
    public required string Message { get; init; }
}

/// <summary>A webhook's address is judged when it is given, so that a typing error is told at once, and again at every connection.</summary>
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
            { } error => $"'{field}' cannot be called ({error.Code}). {AdviceOn(error)}",
        };
    }

    /// <summary>What is said of images speaks of a file and of publishing.</summary>
    private static string AdviceOn(FetchError error) => error switch
    {
        FetchError.InvalidUrl => "It is no address of a host: correct it.",
        FetchError.PortForbidden => "It uses a port that this server does not call: receive on port 80 or 443, or ask whoever runs this server to allow the port.",
        FetchError.AddressForbidden => "It lies in a private network, which this server does not call: name an address on the internet, or ask whoever runs this server to open that network.",
        _ => ErrorText.Of(error.Code),
    };
}
