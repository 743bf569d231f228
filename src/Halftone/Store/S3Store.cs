using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using Halftone.Io;
using Halftone.Model;

namespace Halftone.Store;

/// <summary>Objects in a bucket: put as a whole, so nobody sees a partial one, and durable when the put is answered.</summary>
internal sealed class S3Store : IFileStore, IImageStore, IDisposable
{
    /// <summary>Maximum keys per DeleteObjects call.</summary>
    private const int DeletedAtOnce = 1_000;

    private readonly S3Options options;
    private readonly TimeProvider time;
    private readonly HttpClient http;
    private readonly AmazonS3Client client;

    public S3Store(S3Options options, TimeProvider time)
    {
        this.options = options;
        this.time = time;
        http = SilenceLimit.NewClient(options.Timeout, IsObject);
        var configuration = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle ?? options.Endpoint.Length > 0,
            AuthenticationRegion = options.Region,
            // The SDK's own checksums are sent in trailers, which servers other than Amazon's refuse; the signature
            // below checks the same everywhere.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            HttpClientFactory = new OneClient(http),
            // Callers wait out an outage with their own backoff.
            MaxErrorRetry = 1,
        };
        if (options.Endpoint.Length > 0)
        {
            configuration.ServiceURL = options.Endpoint;
        }
        else
        {
            configuration.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);
        }

        client = options.AccessKeyId.Length > 0
            ? new AmazonS3Client(new BasicAWSCredentials(options.AccessKeyId, options.SecretAccessKey), configuration)
            : new AmazonS3Client(configuration);
    }

    public bool IsRemote => true;

    public Task PutAsync(
        string key,
        ReadOnlyMemory<byte> body,
        string contentType,
        CancellationToken cancellationToken) => CallAsync(async () =>
    {
        var bytes = MemoryMarshal.TryGetArray(body, out var segment) ? segment : new(body.ToArray());
        using var stream = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        return await client.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = options.Bucket,
                Key = KeyOf(key),
                InputStream = stream,
                AutoCloseStream = false,
                ContentType = contentType,
                // The signature includes the SHA-256 of the whole body, so the server refuses damaged data; signing
                // chunks separately costs four times the body in memory.
                UseChunkEncoding = false,
                Headers = { CacheControl = "public, max-age=31536000, immutable" },
            },
            cancellationToken);
    }, cancellationToken);

    public async Task<T> PutAsync<T>(string key, string contentType, Func<Stream, Task<T>> write, CancellationToken cancellationToken)
    {
        await using var scratch = ScratchFile.Create();
        var result = await write(scratch);
        await scratch.FlushAsync(cancellationToken);
        scratch.Position = 0;
        await CallAsync(async () =>
        {
            using var transfer = new TransferUtility(client);
            // Uploaded in parts if it is long; a failed transfer aborts its parts.
            await transfer.UploadAsync(
                new TransferUtilityUploadRequest
                {
                    BucketName = options.Bucket,
                    Key = KeyOf(key),
                    InputStream = scratch,
                    AutoCloseStream = false,
                    ContentType = contentType,
                },
                cancellationToken);
            return true;
        }, cancellationToken);
        return result;
    }

    /// <summary>
    /// The server copies, including type and caching headers. An object was put as a whole or does not exist, so its
    /// length is not checked. A server without copies, or a key that may write but not read, is not an outage: the
    /// image can be made again, and if nothing may be written, its put says so.
    /// </summary>
    public async Task<bool> CopyAsync(string from, string to, long length, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(async () =>
            {
                try
                {
                    await client.CopyObjectAsync(
                        new CopyObjectRequest
                        {
                            SourceBucket = options.Bucket,
                            SourceKey = KeyOf(from),
                            DestinationBucket = options.Bucket,
                            DestinationKey = KeyOf(to),
                        },
                        cancellationToken);
                    return true;
                }
                catch (AmazonS3Exception refused) when (
                    refused.StatusCode is HttpStatusCode.BadRequest
                        or HttpStatusCode.Forbidden
                        or HttpStatusCode.MethodNotAllowed
                        or HttpStatusCode.NotImplemented)
                {
                    return false;
                }
            }, cancellationToken);
        }
        catch (ObjectMissingException)
        {
            return false;
        }
    }

    public async Task<Stream?> OpenReadAsync(string key, CancellationToken cancellationToken)
    {
        var scratch = ScratchFile.Create();
        try
        {
            return await CallAsync<Stream?>(async () =>
            {
                using var found = await client.GetObjectAsync(options.Bucket, KeyOf(key), cancellationToken);
                await using var body = new PatientStream(found.ResponseStream, options.Timeout);
                await body.CopyToAsync(scratch, cancellationToken);
                if (scratch.Length != found.ContentLength)
                {
                    throw new IOException($"Only {scratch.Length} of {found.ContentLength} bytes of {key} were received.");
                }

                scratch.Position = 0;
                return scratch;
            }, cancellationToken);
        }
        catch (ObjectMissingException)
        {
            await scratch.DisposeAsync();
            return null;
        }
        catch
        {
            await scratch.DisposeAsync();
            throw;
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        CallAsync(() => client.DeleteObjectAsync(options.Bucket, KeyOf(key), cancellationToken), cancellationToken);

    public async Task<long?> LengthAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(
                async () => (await client.GetObjectMetadataAsync(options.Bucket, KeyOf(key), cancellationToken)).ContentLength,
                cancellationToken);
        }
        catch (ObjectMissingException)
        {
            return null;
        }
    }

    public async Task DeleteAllAsync(Guid requestId, CancellationToken cancellationToken)
    {
        await foreach (var chunk in ListAsync(requestId, cancellationToken).Chunk(DeletedAtOnce))
        {
            await CallAsync(() => client.DeleteObjectsAsync(
                new DeleteObjectsRequest
                {
                    BucketName = options.Bucket,
                    Objects = [.. chunk.Select(found => new KeyVersion { Key = KeyOf(found.Key) })],
                    Quiet = true,
                },
                cancellationToken), cancellationToken);
        }
    }

    public async IAsyncEnumerable<Guid> RequestsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var question = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = options.Prefix, Delimiter = "/" };
        await foreach (var page in PagesAsync(question, cancellationToken))
        {
            foreach (var prefix in page.CommonPrefixes ?? [])
            {
                if (Guid.TryParseExact(prefix[options.Prefix.Length..].TrimEnd('/'), "D", out var requestId))
                {
                    yield return requestId;
                }
            }
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(Guid requestId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var question = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = KeyOf(ObjectKey.Prefix(requestId)) };
        await foreach (var page in PagesAsync(question, cancellationToken))
        {
            foreach (var found in page.S3Objects ?? [])
            {
                yield return new StoredObject(
                    found.Key[options.Prefix.Length..],
                    found.LastModified is { } modified ? new DateTimeOffset(modified.ToUniversalTime()) : DateTimeOffset.MinValue);
            }
        }
    }

    /// <summary>Does nothing: an object is durable when its put is answered.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public string? PublicUrlOf(string key)
    {
        if (options.LinkLifetime is not { } lifetime)
        {
            return options.PublicBaseUrl.Length == 0 ? null : $"{options.PublicBaseUrl.TrimEnd('/')}/{KeyOf(key)}";
        }

        return client.GetPreSignedURL(new GetPreSignedUrlRequest
        {
            BucketName = options.Bucket,
            Key = KeyOf(key),
            Verb = HttpVerb.GET,
            Expires = (time.GetUtcNow() + lifetime).UtcDateTime,
            Protocol = options.Endpoint.StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? Protocol.HTTP : Protocol.HTTPS,
        });
    }

    public void Dispose()
    {
        client.Dispose();
        http.Dispose();
    }

    private string KeyOf(string key) => options.Prefix + key;

    private async IAsyncEnumerable<ListObjectsV2Response> PagesAsync(
        ListObjectsV2Request question,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ListObjectsV2Response page;
        do
        {
            page = await CallAsync(() => client.ListObjectsV2Async(question, cancellationToken), cancellationToken);
            yield return page;
            question.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    /// <exception cref="ObjectMissingException">There is no such object.</exception>
    /// <exception cref="StoreUnavailableException">Any other failure of the server or the connection; a later call may succeed.</exception>
    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (AmazonS3Exception missing) when (missing.StatusCode == HttpStatusCode.NotFound && missing.ErrorCode != "NoSuchBucket")
        {
            throw new ObjectMissingException();
        }
        catch (Exception exception) when (
            exception is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var reason = exception switch
            {
                AmazonS3Exception { ErrorCode: { Length: > 0 } code } => $"{code}: {exception.Message}",
                _ when IsOfTime(exception) => $"no answer within {options.Timeout.TotalSeconds:0.#} s",
                _ => exception.Message,
            };
            throw new StoreUnavailableException($"The bucket '{options.Bucket}' cannot be used ({reason}).", exception);
        }
    }

    private static bool IsOfTime(Exception? exception) =>
        exception is not null && (exception is OperationCanceledException or TimeoutException || IsOfTime(exception.InnerException));

    /// <summary>True for an object's own bytes; all other answers are parsed by the SDK, which would wait for them without end.</summary>
    private static bool IsObject(HttpResponseMessage answer) =>
        answer.IsSuccessStatusCode
            && answer.RequestMessage!.Method == HttpMethod.Get
            && !answer.RequestMessage.RequestUri!.Query.Contains("list-type=", StringComparison.Ordinal);

    /// <summary>Gives the SDK the same client for each call.</summary>
    private sealed class OneClient(HttpClient http) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => http;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }

    private sealed class ObjectMissingException : Exception;
}
