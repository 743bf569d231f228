using System.Net;
using System.Net.Http.Headers;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

/// <summary>
/// One attempt to deliver one event: signs it, sends it, and judges the answer by its status alone. The body of the
/// answer is never read: a stranger chose its content and length, and nothing in it could change the outcome.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>
    /// Maximum bytes of an unread answer that are drained to reuse the connection; beyond that it is closed, which is cheaper.
    /// </summary>
    private const int MaxDrainBytes = 16 << 10;

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly ProductInfoHeaderValue UserAgent = new("Halftone", ProductVersion.Value);

    private readonly HttpMessageInvoker invoker;
    private readonly WebhookOptions options;
    private readonly TimeProvider time;

    public WebhookSender(GuardedHttp http, IOptions<WebhookOptions> options, TimeProvider time)
    {
        this.options = options.Value;
        this.time = time;
        var handler = http.CreateHandler();       // follows no redirect, keeps no cookie, uses no proxy
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.MaxResponseDrainSize = MaxDrainBytes;
        invoker = new HttpMessageInvoker(handler);
    }

    /// <summary>Sends an event once, signed with the current time. The caller decides about sending it again with the same ID.</summary>
    /// <param name="endpoint">Absolute http or https URL; a user name and password in it are not sent, because the
    /// signature authenticates us.</param>
    /// <param name="messageId">The <c>webhook-id</c>: the same for every attempt, so that receivers recognise a repetition.</param>
    /// <param name="body">UTF-8 JSON, such as <see cref="WebhookEvent.ToBody"/> returns.</param>
    /// <param name="secret">A secret that passes <see cref="WebhookSignature.IsSecret"/>.</param>
    /// <exception cref="OperationCanceledException">Only if <paramref name="cancellationToken"/> was cancelled; the
    /// event may have arrived.</exception>
    public async Task<DeliveryOutcome> SendAsync(
        Uri endpoint,
        string messageId,
        ReadOnlyMemory<byte> body,
        string secret,
        CancellationToken cancellationToken)
    {
        if (FetchTarget.Refuse(endpoint) is { } refused)
        {
            return new DeliveryOutcome.Failed(refused);
        }

        using var request = SignedRequest(endpoint, messageId, body, secret);

        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var timeoutOrStop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // Unlike HttpClient, HttpMessageInvoker returns after the headers and reads no body.
            using var response = await invoker.SendAsync(request, timeoutOrStop.Token);
            return Judge(response);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new DeliveryOutcome.Failed(
                timeout.IsCancellationRequested ? FetchError.HeadersTimedOut : FetchFailure.From(e, isInBody: false).Error);
        }
    }

    public void Dispose() => invoker.Dispose();

    private HttpRequestMessage SignedRequest(Uri endpoint, string messageId, ReadOnlyMemory<byte> body, string secret)
    {
        var now = time.GetUtcNow();
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = Json;
        request.Headers.UserAgent.Add(UserAgent);
        request.Headers.Add("webhook-id", messageId);
        request.Headers.Add("webhook-timestamp", WebhookSignature.TimestampValue(now));
        request.Headers.Add("webhook-signature", WebhookSignature.Sign([secret], messageId, now, body.Span));
        if (Traces.Current is { } traceParent)
        {
            // Set by hand, because the handler sends none: the receiver's trace continues the upload's.
            request.Headers.Add("traceparent", traceParent);
        }

        return request;
    }

    private DeliveryOutcome Judge(HttpResponseMessage response)
    {
        switch ((int)response.StatusCode)
        {
            case >= 200 and < 300:
                return new DeliveryOutcome.Delivered((int)response.StatusCode);
            case 410:
                return new DeliveryOutcome.Gone();
            default:
                var failed = FetchFailure.FromStatus(response, time.GetUtcNow(), options.MaxRetryAfter);
                return new DeliveryOutcome.Failed(failed.Error, failed.HttpStatus, failed.RetryAfter);
        }
    }
}
