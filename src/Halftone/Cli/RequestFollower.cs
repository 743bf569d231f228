using System.Net.ServerSentEvents;
using Halftone.Api;
using Halftone.Io;
using Halftone.Requests;

namespace Halftone.Cli;

/// <summary>
/// Follows a request to its end by server-sent events. Reopens a broken stream, polls if no events come through, and
/// keeps waiting while the server restarts.
/// </summary>
internal sealed class RequestFollower(ServerClient client, TimeProvider time, ProgressDisplay display)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly ProgressPace pace = new(time);
    private bool hasEvents = true;

    /// <summary>Maximum absence of a server that has answered before; 10 min.</summary>
    public TimeSpan LongestAbsence { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Timeout for the first event, which is sent at once; 10 s. Some proxies buffer the whole answer and never let one
    /// through.
    /// </summary>
    public TimeSpan FirstEvent { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Waits until the request has ended.</summary>
    /// <returns>The final status, without products.</returns>
    /// <exception cref="CommandFailedException">The server does not know the request, or was away for too long.</exception>
    public async Task<RequestStatus> FollowAsync(string requestId, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        long? awaySince = null;
        while (true)
        {
            try
            {
                // This call also reports at once what is wrong with the request or the key.
                var status = (await client.StatusAsync(requestId, 1, cancellationToken)).Value;
                (awaySince, pause) = (null, hasEvents ? FirstPause : TimeSpan.FromSeconds(2));
                if (Show(status) || (hasEvents && (status = await ReadEventsAsync(requestId, cancellationToken)) is not null))
                {
                    return status;
                }
            }
            catch (ServerUnreachableException exception) when (exception.WasReached)
            {
                if (awaySince is null)
                {
                    awaySince = time.GetTimestamp();
                    display.Say($"{exception.Message} Retrying for {LongestAbsence.TotalMinutes:0} min.");
                }
                else if (time.GetElapsedTime(awaySince.Value) >= LongestAbsence)
                {
                    throw new CommandFailedException(
                        "server_lost",
                        $"{exception.Message} The request resumes when the server does; follow it with 'halftone status {requestId} "
                        + "--wait'.",
                        exception);
                }

                pause = exception.RetryAfter ?? TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, pause.Ticks * 2));
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <returns>The final status; null if the stream ended before the request did.</returns>
    private async Task<RequestStatus?> ReadEventsAsync(string requestId, CancellationToken cancellationToken)
    {
        using var untilFirst = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        untilFirst.CancelAfter(FirstEvent);
        try
        {
            using var response = await client.OpenAsync(
                $"status/{Uri.EscapeDataString(requestId)}/events",
                "text/event-stream",
                untilFirst.Token);
            await using var body = new PatientStream(
                await response.Content.ReadAsStreamAsync(cancellationToken),
                ServerClient.LongestSilence);
            await foreach (var item in SseParser.Create(body).EnumerateAsync(untilFirst.Token))
            {
                untilFirst.CancelAfter(Timeout.InfiniteTimeSpan);
                if (item.EventType == "status" && client.Parse(item.Data, ApiJson.Default.RequestStatus) is var status && Show(status))
                {
                    return status;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            hasEvents = false;
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            // The stream broke: poll once, then open it again.
        }

        return null;
    }

    /// <returns>True if the request has ended.</returns>
    private bool Show(RequestStatus status)
    {
        var (total, completed, failed) = (status.Progress.Total, status.Progress.Completed, status.Progress.Failed);
        display.Show(total == 0 ? 1 : (double)(completed + failed) / total, pace.Note(completed, failed, total));
        return status.FinishedAt is not null;
    }
}
