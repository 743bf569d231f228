using System.Text.Json;
using Halftone.Api.Access;
using Halftone.Api.Docs;
using Halftone.Requests;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Halftone.Api;

/// <summary>
/// <c>GET /status/{request_id}/events</c>: server-sent events (WHATWG HTML, section 9.2), each a status without
/// products. Sends one at once, one after each change but at most four a second, and ends the stream with the request.
/// </summary>
internal static class EventsEndpoint
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Sends a comment at this interval, because proxies close a silent stream.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <summary>Interval at which the key of an open stream is checked: a revoked key receives events for at most this time.</summary>
    private static readonly TimeSpan LongestUnasked = TimeSpan.FromSeconds(5);

    public static void MapEvents(this IEndpointRouteBuilder routes) => routes.MapGet("/status/{requestId}/events", GetAsync)
        .Named("getEvents", "Requests")
        .Produces<string>(contentType: "text/event-stream")
        .MayAnswer(ProblemType.UnknownRequest)
        .MayAnswer(ProblemType.OfReading);

    /// <summary>Follow a request</summary>
    /// <remarks>
    /// Server-sent events. `status` carries the status as JSON without products: at once and after each change, at most
    /// four a second. `end` is sent when the request has ended, and closes the stream.
    /// </remarks>
    /// <param name="requestId" example="0192f0c1-7a3e-7bbb-8c4d-0123456789ab">The `request_id` from the answer to the upload.</param>
    /// <response code="200">The stream.</response>
    /// <example>
    /// event: status
    /// data: {"request_id":"0192f0c1-7a3e-7bbb-8c4d-0123456789ab","file_name":"products.csv","status":"COMPLETED",\
    /// "progress":{"total":3,"completed":3,"failed":0,"percent":100},\
    /// "bytes":{"input":1519308,"output":421007,"saved_percent":72.3},"reused":0,"errors":[],\
    /// "result_url":"https://halftone.example.com/results/0192f0c1-7a3e-7bbb-8c4d-0123456789ab.csv","products":[],\
    /// "created_at":"2026-11-21T08:29:41.204+00:00","updated_at":"2026-11-21T08:30:00+00:00",\
    /// "finished_at":"2026-11-21T08:30:00+00:00"}
    ///
    /// event: end
    /// data: {}
    /// </example>
    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> GetAsync(
        string requestId,
        Caller caller,
        HttpContext context,
        StatusReader reader,
        ApiKeys keys,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(requestId, "D", out var id)
            || await reader.ReadAsync(caller.Owner, id, 0, 0, cancellationToken) is not { } status)
        {
            return Problems.UnknownRequest(requestId);
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            // HEAD gets only the headers.
            return TypedResults.Empty;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            await SendAsync(context, caller, id, status, reader, keys, time, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The client has gone, or the server is stopping: browsers reconnect.
        }

        return TypedResults.Empty;
    }

    private static async Task SendAsync(
        HttpContext context,
        Caller caller,
        Guid id,
        RequestStatus? status,
        StatusReader reader,
        ApiKeys keys,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var sent = "";
        var sentAt = time.GetTimestamp();
        var askedAt = sentAt;
        for (; status is not null; status = await reader.ReadAsync(caller.Owner, id, 0, 0, cancellationToken))
        {
            if (time.GetElapsedTime(askedAt) >= LongestUnasked)
            {
                if (!await keys.IsGoodAsync(caller.Owner, cancellationToken))
                {
                    return;
                }

                askedAt = time.GetTimestamp();
            }

            var json = JsonSerializer.Serialize(status, ApiJson.Default.RequestStatus);
            var text = json != sent ? $"event: status\ndata: {json}\n\n"
                : time.GetElapsedTime(sentAt) >= KeepAlive ? ": still here\n\n"
                : "";
            if (text.Length > 0)
            {
                await context.Response.WriteAsync(text, cancellationToken);
                await context.Response.Body.FlushAsync(cancellationToken);
                (sent, sentAt) = (json, time.GetTimestamp());
            }

            if (status.FinishedAt is not null)
            {
                await context.Response.WriteAsync("event: end\ndata: {}\n\n", cancellationToken);
                return;
            }

            await Task.Delay(Interval, time, cancellationToken);
        }
    }
}
