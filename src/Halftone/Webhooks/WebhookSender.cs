using System.Net;
using System.Net.Http.Headers;
using Halftone.Fetch;
using Halftone.Model;
using Halftone.Telemetry;
using Microsoft.Extensions.Options;

namespace Halftone.Webhooks;

/// <summary>
/// One attempt to deliver one event: sign, POST, judge the answer by its status alone. The answer's body is never read: it
/// is a stranger's, of any length, and nothing in it could change the outcome.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>
    /// Bytes of an unread answer that are drained so that the connection can be used again; beyond it the connection is
    /// closed, which is cheaper than the bytes.
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
        var handler = http.CreateHandler();       // follows no redirect, keeps no cookie, goes through no proxy
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.MaxResponseDrainSize = MaxDrainBytes;
        invoker = new HttpMessageInvoker(handler);
    }

    /// <summary>Sends an event once, signed with the present time. Sending it again later with the same id is the caller's part.</summary>
    /// <param name="endpoint">Absolute http or https URL; a name and password in it are not sent, the signature says who we are.</param>
    /// <param name="messageId">The <c>webhook-id</c>: the same at every attempt, by which receivers know a repetition.</param>
    /// <param name="body">UTF-8 JSON, such as <see cref="WebhookEvent.ToBody"/> gave.</param>
    /// <param name="secret">As <see cref="WebhookSignature.IsSecret"/> allows.</param>
    /// <exception cref="OperationCanceledException">Only where <paramref name="cancellationToken"/> asked for it; the event may have arrived.</exception>
    public async Task<DeliveryOutcome> SendAsync(Uri endpoint, string messageId, ReadOnlyMemory<byte> body, string secret, CancellationToken cancellationToken)
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
            // An HttpMessageInvoker, unlike HttpClient, returns when the headers are there and reads no body.
            using var response = await invoker.SendAsync(request, timeoutOrStop.Token);
            return Judge(response);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new DeliveryOutcome.Failed(timeout.IsCancellationRequested ? FetchError.HeadersTimedOut : FetchFailure.From(e, isInBody: false).Error);
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
            // Ours by hand, for the handler sends none: the receiver's trace goes on from the upload's.
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
