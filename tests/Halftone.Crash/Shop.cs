using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Halftone.Crash;

/// <summary>The shop's side of the API. A server that dies under a call is no error here: the call was not answered.</summary>
internal sealed class Shop(string serverUrl, Surroundings surroundings) : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        BaseAddress = new Uri(serverUrl + "/"),
        Timeout = TimeSpan.FromMinutes(1),
    };

    private ImmutableList<SentRequest> sent = [];

    /// <summary>Everything that was sent, in order.</summary>
    public IReadOnlyList<SentRequest> Sent => sent;

    /// <summary>Accepted and not yet ended, as far as is known.</summary>
    public IReadOnlyList<SentRequest> Open =>
        [.. Sent.Where(request => request is { RequestId: not null, HasEnded: false, MayBeGone: false })];

    /// <summary>Images of <see cref="Open"/> that are not done, as far as is known.</summary>
    public int ImagesInFlight => Open.Sum(request => request.Images - request.Done);

    /// <summary>Uploads; where the answer is 200, the request's id is noted.</summary>
    /// <returns>The status, or null where none came.</returns>
    public async Task<HttpStatusCode?> UploadAsync(SentRequest request, CancellationToken cancellationToken)
    {
        ImmutableInterlocked.Update(ref sent, all => all.Contains(request) ? all : all.Add(request));

        using var form = new MultipartFormDataContent();
#pragma warning disable CA2000 // Disposed with the form.
        form.Add(new ByteArrayContent(request.ToCsv()) { Headers = { ContentType = new("text/csv") } }, "file", request.Name + ".csv");
        form.Add(new StringContent(surroundings.WebhookUrl), "webhook_url");
        form.Add(new StringContent(request.Reuse ? "true" : "false"), "reuse");
        form.Add(new StringContent(request.VariantsText), "variants");
#pragma warning restore CA2000
        using var message = new HttpRequestMessage(HttpMethod.Post, "upload") { Content = form };
        if (request.IdempotencyKey is { } key)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        return await AskAsync(
            async () =>
            {
                using var answer = await client.SendAsync(message, cancellationToken);
                var body = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    request.RequestId = body.GetProperty("request_id").GetGuid();
                }

                return (HttpStatusCode?)answer.StatusCode;
            },
            cancellationToken);
    }

    /// <summary>The status, noted in the request; null where no answer came.</summary>
    public Task<JsonElement?> StatusAsync(SentRequest request, CancellationToken cancellationToken) => AskAsync<JsonElement?>(
        async () =>
        {
            using var answer = await client.GetAsync($"status/{request.RequestId}?limit=1", cancellationToken);
            var status = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                request.Done = status.GetProperty("progress").GetProperty("completed").GetInt32()
                    + status.GetProperty("progress").GetProperty("failed").GetInt32();
                request.HasEnded = status.TryGetProperty("finished_at", out _);
            }

            return status;
        },
        cancellationToken);

    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        foreach (var request in Open)
        {
            await StatusAsync(request, cancellationToken);
        }
    }

    /// <param name="request">Whose.</param>
    /// <param name="action">retry or cancel.</param>
    /// <returns>The status, or null where none came.</returns>
    public async Task<HttpStatusCode?> ActAsync(SentRequest request, string action, CancellationToken cancellationToken)
    {
        request.MayBeCancelled |= action == "cancel";
        var status = await AskAsync(
            async () =>
            {
                using var answer = await client.PostAsync($"requests/{request.RequestId}/{action}", null, cancellationToken);
                return (HttpStatusCode?)answer.StatusCode;
            },
            cancellationToken);
        if (status == HttpStatusCode.OK)
        {
            request.HasEnded = false;
        }

        return status;
    }

    /// <returns>The status, or null where none came.</returns>
    public async Task<HttpStatusCode?> DeleteAsync(SentRequest request, CancellationToken cancellationToken)
    {
        request.MayBeGone = true;
        var status = await AskAsync(
            async () =>
            {
                using var answer = await client.DeleteAsync($"requests/{request.RequestId}", cancellationToken);
                return (HttpStatusCode?)answer.StatusCode;
            },
            cancellationToken);
        request.IsGone |= status is HttpStatusCode.NoContent or HttpStatusCode.NotFound;
        return status;
    }

    /// <summary>
    /// Sends uploads again that were not answered, and waits until everything accepted has ended and told its webhook, and so has what was
    /// accepted without
    /// an answer.
    /// </summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        foreach (var request in Sent.Where(request => request is { RequestId: null, IdempotencyKey: not null }))
        {
            var status = await UploadAsync(request, cancellationToken);
            if (status != HttpStatusCode.OK)
            {
                throw new InvalidOperationException($"The upload {request.Name} was answered with {status} when it was sent again.");
            }
        }

        while (Open.Count > 0)
        {
            await RefreshAsync(cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        while (!await HaveAllEndedAsync(cancellationToken))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        while (Sent.Any(request => request is { RequestId: { } id, MayBeGone: false } && surroundings.EventsOf(id).Count == 0))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>By the server's own list; false also where no answer came.</summary>
    private async Task<bool> HaveAllEndedAsync(CancellationToken cancellationToken)
    {
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await AskAsync<JsonElement?>(
                async () => await client.GetFromJsonAsync<JsonElement>($"requests?limit=500&cursor={cursor}", cancellationToken),
                cancellationToken);
            if (page is not { } list
                || list.GetProperty("requests").EnumerateArray().Any(request => !request.TryGetProperty("finished_at", out _)))
            {
                return false;
            }

            cursor = list.TryGetProperty("next_cursor", out var next) ? next.GetString() : null;
        }

        return true;
    }

    /// <summary>An upload that was refused is nobody's loss.</summary>
    public void Forget(SentRequest refused) => ImmutableInterlocked.Update(ref sent, all => all.Remove(refused));

    public void Dispose() => client.Dispose();

    private static async Task<T?> AskAsync<T>(Func<Task<T?>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask();
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException or JsonException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return default;
        }
    }
}
