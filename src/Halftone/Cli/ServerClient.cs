using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Halftone.Api;
using Halftone.Intake;
using Halftone.Io;
using Halftone.Requests;

namespace Halftone.Cli;

/// <summary>An answer in two forms: the original JSON for programs, and the parsed value.</summary>
internal sealed record Answer<T>(string Json, T Value);

/// <summary>A file to upload and its options.</summary>
internal sealed record UploadRequest
{
    public required string File { get; init; }

    /// <summary>Form fields, named as in the API.</summary>
    public required IReadOnlyDictionary<string, string> Fields { get; init; }

    /// <summary>The same for every attempt, so that an upload that was received is not accepted twice.</summary>
    public string IdempotencyKey { get; } = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("D");
}

/// <summary>The server is not there or cannot answer now. Worth another attempt, unless it has never answered.</summary>
/// <param name="failure">The server's message, or what to do about its silence.</param>
/// <param name="wasReached">True if it has ever answered this client.</param>
/// <param name="inner">The exception that was thrown, if any.</param>
internal sealed class ServerUnreachableException(
    CommandFailure failure,
    bool wasReached,
    Exception? inner = null) : CommandFailedException(failure, inner)
{
    public ServerUnreachableException(string detail, bool wasReached, Exception inner)
        : this(new CommandFailure { Code = "server_unreachable", Detail = detail }, wasReached, inner)
    {
    }

    public bool WasReached => wasReached;

    /// <summary>The wait that the server asked for; null if it did not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>
/// The public API of a server. Throws refusals as <see cref="CommandFailedException"/> in the server's own words,
/// except for a missing key.
/// </summary>
internal sealed class ServerClient : IDisposable
{
    /// <summary>Timeout of calls that take no work.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Twice the interval at which an event stream sends a sign of life.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Timeout without a byte in either direction, for example while a large file is being read. Half of it is ten
    /// times the time for five million rows.
    /// </summary>
    private static readonly TimeSpan UploadSilence = TimeSpan.FromMinutes(15);

    private const string NoKey = "The server requires an API key. Pass one with --api-key or set HALFTONE_API_KEY.";
    private const string UnknownKey = "The API key is not valid or was revoked. Check --api-key or HALFTONE_API_KEY.";

    private readonly HttpClient http;
    private bool hasAnswered;

    /// <param name="server">URL such as http://127.0.0.1:4300.</param>
    /// <param name="apiKey">Null if the server requires none.</param>
    public ServerClient(Uri server, string? apiKey)
    {
        Server = server;
#pragma warning disable CA2000 // Disposed with the client.
        http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // A redirected POST would become a GET without its key.
            AllowAutoRedirect = false,
            // No proxy for this machine's own addresses.
            UseProxy = !server.IsLoopback,
        })
#pragma warning restore CA2000
        {
            BaseAddress = new Uri(server.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.Authorization = apiKey is null ? null : new AuthenticationHeaderValue("Bearer", apiKey);
    }

    public Uri Server { get; }

    public void Dispose() => http.Dispose();

    /// <summary>Makes a call and parses its answer.</summary>
    public async Task<Answer<T>> CallAsync<T>(
        HttpMethod method,
        string path,
        object? body,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(CallTimeout);
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(
                JsonSerializer.Serialize(body, ApiJson.Default.GetTypeInfo(body.GetType())!),
                Encoding.UTF8,
                "application/json");
        }

        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, timeout.Token, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    /// <summary>Makes a call whose answer has no body.</summary>
    public async Task CallAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(CallTimeout);
        using var request = new HttpRequestMessage(method, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, timeout.Token, cancellationToken);
    }

    /// <param name="requestId">ID of the request.</param>
    /// <param name="products">Number of products to list, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<Answer<RequestStatus>> StatusAsync(string requestId, int products, CancellationToken cancellationToken) =>
        CallAsync(
            HttpMethod.Get,
            $"status/{Uri.EscapeDataString(requestId)}?limit={products}",
            null,
            ApiJson.Default.RequestStatus,
            cancellationToken);

    /// <summary>Uploads a file of any size as a stream.</summary>
    /// <param name="upload">The file and its options.</param>
    /// <param name="sent">Receives the number of bytes sent so far.</param>
    /// <param name="cancellationToken">Stops the upload.</param>
    public Task<Answer<UploadAccepted>> UploadAsync(UploadRequest upload, Action<long> sent, CancellationToken cancellationToken) =>
        UploadAsync(upload, sent, ApiJson.Default.UploadAccepted, cancellationToken);

    /// <summary>Lets the server check a file without keeping it.</summary>
    /// <param name="file">The CSV, also gzipped.</param>
    /// <param name="cancellationToken">Stops the upload.</param>
    public Task<Answer<UploadChecked>> CheckAsync(string file, CancellationToken cancellationToken) => UploadAsync(
        new UploadRequest { File = file, Fields = new Dictionary<string, string> { ["validate_only"] = "true" } }, static _ => { },
        ApiJson.Default.UploadChecked, cancellationToken);

    private async Task<Answer<T>> UploadAsync<T>(
        UploadRequest upload, Action<long> sent, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(UploadSilence);
        await using var file = OpenUpload(upload.File);
        await using var watched = new WatchedStream(file, position =>
        {
            silence.CancelAfter(UploadSilence);
            sent(position);
        });
        using var content = new StreamContent(watched, 65_536) { Headers = { ContentType = new("text/csv") } };
        using var form = new MultipartFormDataContent { { content, "file", Path.GetFileName(upload.File) } };
        foreach (var (name, value) in upload.Fields)
        {
#pragma warning disable CA2000 // Disposed with the form.
            form.Add(new StringContent(value), name);
#pragma warning restore CA2000
        }

        // Lets the server refuse before gigabytes are sent in vain: RFC 9110, section 10.1.1.
        using var request = new HttpRequestMessage(HttpMethod.Post, "upload") { Content = form, Headers = { ExpectContinue = true } };
        request.Headers.Add("Idempotency-Key", upload.IdempotencyKey);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, silence.Token, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    /// <summary>Opens a streamed answer; the caller disposes it.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string mediaType, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(CallTimeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd(mediaType);
        return await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token, cancellationToken);
    }

    /// <summary>Writes the result CSV to a file, completely or not at all.</summary>
    public async Task DownloadResultAsync(string requestId, string path, CancellationToken cancellationToken)
    {
        var partial = path + ".part";
        try
        {
            using var response = await OpenAsync($"results/{Uri.EscapeDataString(requestId)}.csv", "text/csv", cancellationToken);
            try
            {
                await using (var body = new PatientStream(await response.Content.ReadAsStreamAsync(cancellationToken), LongestSilence))
                await using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write))
                {
                    await body.CopyToAsync(file, cancellationToken);
                }

                File.Move(partial, path, overwrite: true);
            }
            finally
            {
                // Inside the try, because it also fails if the folder has gone.
                File.Delete(partial);
            }
        }
        catch (HttpRequestException exception)
        {
            throw new ServerUnreachableException(
                $"The download of the result broke off ({exception.Message}). Download it again with 'halftone status {requestId} "
                + $"--out {path}'.",
                hasAnswered,
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(
                "file_unwritable",
                $"'{path}' could not be written ({exception.Message}). Get the result with 'halftone status {requestId} --out FILE'.",
                exception);
        }
    }

    private static FileStream OpenUpload(string path)
    {
        try
        {
            return new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read,
                65_536,
                FileOptions.SequentialScan | FileOptions.Asynchronous);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException("file_unreadable", $"'{path}' cannot be read: {exception.Message}", exception);
        }
    }

    /// <returns>A successful answer; the caller disposes it.</returns>
    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        HttpCompletionOption completion,
        CancellationToken cancellationToken,
        CancellationToken callers)
    {
        try
        {
            var response = await http.SendAsync(request, completion, cancellationToken);
            hasAnswered = true;
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            using (response)
            {
                throw await RefusalAsync(response, cancellationToken);
            }
        }
        catch (HttpRequestException exception)
        {
            // A server that closes the connection while we send exists.
            hasAnswered |= exception.HttpRequestError is not (
                HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError);
            throw new ServerUnreachableException(
                $"No Halftone server answers at {Server} ({exception.Message}). Check that it is running, or name another with --server.",
                hasAnswered,
                exception);
        }
        catch (OperationCanceledException exception) when (!callers.IsCancellationRequested)
        {
            throw new ServerUnreachableException(
                $"{Server} did not answer in time. Check that it is running, or name another with --server.",
                hasAnswered,
                exception);
        }
    }

    private async Task<CommandFailedException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        CommandFailure failure;
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            var json = await response.Content.ReadAsStringAsync(cancellationToken);
            failure = Parse(json, ReportJson.Default.CommandFailure) with { Problem = json };
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                // The server's message names headers, which no user of the command line types.
                failure = failure with { Detail = http.DefaultRequestHeaders.Authorization is null ? NoKey : UnknownKey };
            }
        }
        else
        {
            var answer =
                $"{(int)response.StatusCode} {response.ReasonPhrase}{(response.Headers.Location is { } location ? $" to {location}" : "")}";
            failure = new CommandFailure
            {
                Code = "foreign_answer",
                Detail = $"{Server} answered {answer}, which is not an answer of a Halftone server. Check --server.",
            };
        }

        return response.StatusCode is HttpStatusCode.TooManyRequests
            or HttpStatusCode.BadGateway
            or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout
            ? new ServerUnreachableException(failure, wasReached: true) { RetryAfter = response.Headers.RetryAfter?.Delta }
            : new CommandFailedException(failure);
    }

    private async Task<Answer<T>> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var json = await response.Content.ReadAsStringAsync(cancellationToken);
        return new Answer<T>(json, Parse(json, type));
    }

    public T Parse<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw new CommandFailedException(
                "foreign_answer",
                $"The answer from {Server} could not be understood ({exception.Message}). Check that --server names a Halftone server "
                + "of this version.",
                exception);
        }
    }
}
