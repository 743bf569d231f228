using System.Net;
using System.Net.Http.Headers;
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
    private static readonly ProductInfoHeaderValue UserAgent = new("Halftone", "1.0");

    private readonly HttpMessageInvoker invoker;
    private readonly WebhookOptions options;
    private readonly TimeProvider time;

    /// <param name="handler">Connects only where Halftone may connect. Becomes this sender's own: nobody else uses it, and it is disposed with the sender.</param>
    public WebhookSender(SocketsHttpHandler handler, IOptions<WebhookOptions> options, TimeProvider time)
    {
        this.options = options.Value;
        this.time = time;
        // What a signed POST to a stranger must not do, whoever made the handler: follow, remember, or tell more than it says.
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.Credentials = null;
        handler.ActivityHeadersPropagator = null;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.MaxResponseDrainSize = MaxDrainBytes;
        invoker = new HttpMessageInvoker(handler);
    }

    /// <summary>Sends an event once, signed with the present time. Sending it again later with the same id is the caller's part.</summary>
    /// <param name="endpoint">Absolute http or https URL.</param>
    /// <param name="messageId">The <c>webhook-id</c>: the same at every attempt, by which receivers know a repetition.</param>
    /// <param name="body">UTF-8 JSON, such as <see cref="WebhookEvent.ToBody"/> gave.</param>
    /// <param name="secret">As <see cref="WebhookSignature.IsSecret"/> allows.</param>
    /// <exception cref="OperationCanceledException">Only where <paramref name="cancellationToken"/> asked for it; the event may have arrived.</exception>
    public async Task<DeliveryOutcome> SendAsync(Uri endpoint, string messageId, ReadOnlyMemory<byte> body, string secret, CancellationToken cancellationToken)
    {
        using var request = SignedRequest(endpoint, messageId, body, secret);
        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // An HttpMessageInvoker, unlike HttpClient, returns when the headers are there and reads no body.
            using var response = await invoker.SendAsync(request, either.Token);
            return Judge(response);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DeliveryOutcome.Failed(DeliveryError.TimedOut);
        }
        catch (HttpRequestException exception)
        {
            return new DeliveryOutcome.Failed(Cause(exception));
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
        return request;
    }

    private DeliveryOutcome Judge(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        >= 200 and < 300 => new DeliveryOutcome.Delivered((int)response.StatusCode),
        410 => new DeliveryOutcome.Gone(),
        >= 300 and < 400 => Refused(DeliveryError.Redirected, response),
        _ => Refused(DeliveryError.HttpStatus, response),
    };

    private DeliveryOutcome.Failed Refused(DeliveryError error, HttpResponseMessage response) =>
        new(error, (int)response.StatusCode, RetryAfter(response.Headers.RetryAfter));

    /// <summary>Seconds or a date (RFC 9110, 10.2.3), within what is obeyed; null without the header or with one that is neither.</summary>
    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date - time.GetUtcNow());
        return wait is null ? null : TimeSpan.FromTicks(Math.Clamp(wait.Value.Ticks, 0, options.MaxRetryAfter.Ticks));
    }

    private static DeliveryError Cause(HttpRequestException exception) => exception.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => DeliveryError.NameNotResolved,
        HttpRequestError.ConnectionError => DeliveryError.ConnectFailed,
        HttpRequestError.SecureConnectionError => DeliveryError.TlsFailed,
        _ => DeliveryError.BadResponse,
    };
}
