using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Halftone.Io;
using Halftone.Model;

namespace Halftone.Store;

/// <summary>
/// Images in a Cloudinary account, through its documented API: signed <c>image/upload</c> and <c>image/destroy</c>
/// (https://cloudinary.com/documentation/image_upload_api_reference), and the Admin API for listing
/// (https://cloudinary.com/documentation/admin_api). The public ID of an image is its key without the extension.
/// </summary>
internal sealed partial class CloudinaryStore : IImageStore, IDisposable
{
    /// <summary>Maximum number that the Admin API lists per answer.</summary>
    private const int ListedAtOnce = 500;

    /// <summary>Maximum silence of a call; Cloudinary processes an image before it answers.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly CloudinaryOptions options;
    private readonly TimeProvider time;
    private readonly HttpClient client;
    private readonly string api;

    public CloudinaryStore(CloudinaryOptions options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        api = $"{options.ApiUrl.TrimEnd('/')}/v1_1/{options.CloudName}";
        client = SilenceLimit.NewClient(LongestSilence, _ => false);
    }

    public bool IsRemote => true;

    /// <exception cref="StoreRefusedException">Cloudinary refuses this image, for example because it is larger than the
    /// account's plan allows.</exception>
    public async Task PutAsync(string key, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellationToken)
    {
        using var file = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
        using var answer = await SendAsync(
            "image/upload",
            Signed(("overwrite", "true"), ("public_id", PublicId(key))),
            (file, Path.GetFileName(key)),
            cancellationToken,
            HttpStatusCode.BadRequest);
        if (!answer.IsSuccessStatusCode)
        {
            throw new StoreRefusedException(ReasonOf(answer));
        }

        var stored = await ReadAsync(answer, CloudinaryJson.Default.Resource, cancellationToken);
        // Confirms that Cloudinary has the whole image, and the right one.
        if (stored.PublicId != PublicId(key) || stored.Bytes != body.Length)
        {
            throw new StoreUnavailableException(
                $"Cloudinary stored {stored.Bytes} bytes as '{stored.PublicId}' instead of {body.Length} as '{PublicId(key)}'.");
        }
    }

    /// <summary>
    /// An upload whose file is the URL of the other image, which Cloudinary fetches from itself. If it cannot, it answers with 400 or 404.
    /// </summary>
    public async Task<bool> CopyAsync(string from, string to, long length, CancellationToken cancellationToken)
    {
        var parameters = Signed(("overwrite", "true"), ("public_id", PublicId(to)));
        using var answer = await SendAsync(
            "image/upload",
            [.. parameters, ("file", PublicUrlOf(from))],
            null,
            cancellationToken,
            HttpStatusCode.BadRequest);
        if (!answer.IsSuccessStatusCode)
        {
            return false;
        }

        var stored = await ReadAsync(answer, CloudinaryJson.Default.Resource, cancellationToken);
        if (stored.PublicId == PublicId(to) && stored.Bytes == length)
        {
            return true;
        }

        await DeleteAsync(to, cancellationToken);
        return false;
    }


    public async Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken)
    {
        using var answer = await CallAsync(() => client.GetAsync(PublicUrlOf(key), cancellationToken), cancellationToken);
        return answer.StatusCode == HttpStatusCode.NotFound
            ? null
            : new MemoryStream(await answer.Content.ReadAsByteArrayAsync(cancellationToken), writable: false);
    }

    public async Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        // "not found" has status 200, and means success as "ok" does.
        using var answer = await SendAsync(
            "image/destroy",
            Signed(("invalidate", "true"), ("public_id", PublicId(key))),
            null,
            cancellationToken);
    }

    public async Task<long?> LengthAsync(string key, CancellationToken cancellationToken)
    {
        using var answer = await AdminAsync(
            HttpMethod.Get,
            $"resources/image/upload/{Uri.EscapeDataString(PublicId(key))}",
            cancellationToken);
        return answer.StatusCode == HttpStatusCode.NotFound
            ? null
            : (await ReadAsync(answer, CloudinaryJson.Default.Resource, cancellationToken)).Bytes;
    }

    public async Task DeleteAllAsync(Guid requestId, CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            // A call removes up to 1,000 and returns "next_cursor" while some are left.
            using var answer = await AdminAsync(
                HttpMethod.Delete,
                $"resources/image/upload?prefix={Escaped(PrefixOf(requestId))}&invalidate=true{Cursor(cursor)}",
                cancellationToken);
            cursor = answer.StatusCode == HttpStatusCode.NotFound
                ? null
                : (await ReadAsync(answer, CloudinaryJson.Default.ResourceList, cancellationToken)).NextCursor;
        }
        while (cursor is not null);
    }

    public async IAsyncEnumerable<Guid> RequestsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = Guid.Empty;
        await foreach (var found in ResourcesAsync(options.Prefix, cancellationToken))
        {
            var name = found.PublicId[options.Prefix.Length..];
            if (name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
                && Guid.TryParseExact(name[..slash], "D", out var requestId)
                && requestId != last)
            {
                // Objects of one request are adjacent, or the request is listed twice, which does no harm.
                yield return last = requestId;
            }
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(Guid requestId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in ResourcesAsync(PrefixOf(requestId), cancellationToken))
        {
            yield return new StoredObject($"{found.PublicId[options.Prefix.Length..]}.{found.Format}", found.CreatedAt);
        }
    }

    /// <summary>Does nothing: an image is durable when its upload is answered.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public string PublicUrlOf(string key) => $"{options.DeliveryUrl.TrimEnd('/')}/{options.CloudName}/image/upload/{options.Prefix}{key}";

    public void Dispose() => client.Dispose();

    /// <summary>The parameters of a call, sorted by name, and their signature.</summary>
    /// <remarks>
    /// https://cloudinary.com/documentation/authentication_signatures: SHA-1 over <c>name=value&amp;…</c> and the
    /// secret, hexadecimal.
    /// </remarks>
    private List<(string Name, string Value)> Signed(params (string Name, string Value)[] parameters)
    {
        List<(string Name, string Value)> all = [
            .. parameters,
            ("timestamp", time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
        ];
        all.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        var text = string.Join('&', all.Select(parameter => $"{parameter.Name}={parameter.Value}")) + options.ApiSecret;
#pragma warning disable CA5350 // Chosen by Cloudinary; every account accepts it.
        var signature = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350
        return [.. all, ("api_key", options.ApiKey), ("signature", signature)];
    }

    /// <param name="path">The method of the upload API.</param>
    /// <param name="parameters">Fields of the form.</param>
    /// <param name="file">The image, if one is sent.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <param name="alsoAnswer">A status that is an answer to this call, not an outage.</param>
    private Task<HttpResponseMessage> SendAsync(
        string path,
        List<(string Name, string Value)> parameters,
        (HttpContent Content, string Name)? file,
        CancellationToken cancellationToken,
        HttpStatusCode? alsoAnswer = null) => CallAsync(
        async () =>
        {
            var boundary = $"halftone-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
            using var form = new MultipartFormDataContent(boundary);
            form.Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/form-data; boundary={boundary}");
            foreach (var (name, value) in parameters)
            {
#pragma warning disable CA2000 // Disposed with the form.
                form.Add(Named(new StringContent(value), $"form-data; name=\"{name}\""));
#pragma warning restore CA2000
            }

            if (file is { } image)
            {
                form.Add(Named(image.Content, $"form-data; name=\"file\"; filename=\"{image.Name}\""));
            }

            return await client.PostAsync($"{api}/{path}", form, cancellationToken);
        },
        cancellationToken,
        alsoAnswer);

    /// <summary>Quoted as browsers do, not as .NET does: some servers accept nothing else.</summary>
    private static HttpContent Named(HttpContent part, string disposition)
    {
        part.Headers.ContentDisposition = ContentDispositionHeaderValue.Parse(disposition);
        return part;
    }

    private Task<HttpResponseMessage> AdminAsync(HttpMethod method, string path, CancellationToken cancellationToken) => CallAsync(
        async () =>
        {
            using var message = new HttpRequestMessage(method, $"{api}/{path}");
            message.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.ApiKey}:{options.ApiSecret}")));
            return await client.SendAsync(message, cancellationToken);
        },
        cancellationToken);

    private async IAsyncEnumerable<Resource> ResourcesAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            var path = string.Create(
                CultureInfo.InvariantCulture,
                $"resources/image/upload?prefix={Escaped(prefix)}&max_results={ListedAtOnce}{Cursor(cursor)}");
            using var answer = await AdminAsync(HttpMethod.Get, path, cancellationToken);
            var page = await ReadAsync(answer, CloudinaryJson.Default.ResourceList, cancellationToken);
            foreach (var found in page.Resources ?? [])
            {
                yield return found;
            }

            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    /// <returns>A success, 404, or the additionally accepted status.</returns>
    /// <exception cref="StoreUnavailableException">Anything else: a wrong key, too many calls, no connection; a later
    /// call may succeed.</exception>
    private static async Task<HttpResponseMessage> CallAsync(
        Func<Task<HttpResponseMessage>> call,
        CancellationToken cancellationToken,
        HttpStatusCode? alsoAnswer = null)
    {
        try
        {
            var answer = await call();
            if (answer.IsSuccessStatusCode
                || answer.StatusCode == HttpStatusCode.NotFound
                || (answer.StatusCode == alsoAnswer && !IsOfTheClock(answer)))
            {
                return answer;
            }

            using (answer)
            {
                throw new StoreUnavailableException($"Cloudinary answered with status {(int)answer.StatusCode} ({ReasonOf(answer)}).");
            }
        }
        catch (Exception exception) when (
            exception is HttpRequestException or IOException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var reason = exception is OperationCanceledException ? $"no answer within {LongestSilence.TotalSeconds} s" : exception.Message;
            throw new StoreUnavailableException($"Cloudinary cannot be reached ({reason}).", exception);
        }
    }

    /// <summary>The reason is also in a header: https://cloudinary.com/documentation/image_upload_api_reference</summary>
    private static string ReasonOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("X-Cld-Error", out var values) ? string.Join(' ', values) : "no reason given";

    /// <summary>
    /// True if the signature has expired. It is valid for an hour: 400 to every call is an outage of ours, caused by
    /// the clock, not an image's fault.
    /// </summary>
    private static bool IsOfTheClock(HttpResponseMessage answer) =>
        ReasonOf(answer).StartsWith("Stale request", StringComparison.OrdinalIgnoreCase);

    private static async Task<T> ReadAsync<T>(
        HttpResponseMessage answer,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken) ?? throw new JsonException("null");
        }
        catch (Exception exception) when (exception is JsonException or HttpRequestException or IOException)
        {
            throw new StoreUnavailableException($"The answer from Cloudinary could not be understood ({exception.Message}).", exception);
        }
    }

    private string PublicId(string key) => options.Prefix + Path.ChangeExtension(key, null);

    private string PrefixOf(Guid requestId) => options.Prefix + ObjectKey.Prefix(requestId);

    private static string Escaped(string text) => Uri.EscapeDataString(text);

    private static string Cursor(string? cursor) => cursor is null ? "" : $"&next_cursor={Escaped(cursor)}";

    private sealed record Resource
    {
        public string PublicId { get; init; } = "";
        public string Format { get; init; } = "";
        public long Bytes { get; init; }
        public DateTimeOffset CreatedAt { get; init; }
    }

    private sealed record ResourceList
    {
        public IReadOnlyList<Resource>? Resources { get; init; }
        public string? NextCursor { get; init; }
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Resource))]
    [JsonSerializable(typeof(ResourceList))]
    private sealed partial class CloudinaryJson : JsonSerializerContext;
}
