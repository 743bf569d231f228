using System.IO.Compression;
using System.Net;
using Halftone.Model;
using Halftone.Queue;
using Microsoft.Extensions.Options;

namespace Halftone.Fetch;

/// <summary>
/// One attempt at one URL: follows redirects to the body and judges each hop again. Every URL and every answer is
/// treated as hostile; every outcome is a value. The first bytes decide what an image is, so the Content-Type is
/// ignored here.
/// </summary>
internal sealed class ImageFetcher : IDisposable
{
    private readonly FetchOptions options;
    private readonly HostLimiter hosts;
    private readonly ByteBudget budget;
    private readonly TimeProvider time;
    private readonly HttpMessageInvoker http;
    private readonly string userAgent;

    public ImageFetcher(GuardedHttp guardedHttp, HostLimiter hosts, ByteBudget budget, IOptions<FetchOptions> options, TimeProvider time)
    {
        this.options = options.Value;
        this.hosts = hosts;
        this.budget = budget;
        this.time = time;
        http = new HttpMessageInvoker(guardedHttp.CreateHandler());
        userAgent = UserAgent(this.options.Contact);
    }

    /// <summary><c>Halftone/VERSION (+CONTACT)</c>, so that the operator of an origin knows who calls and whom to ask.</summary>
    public static string UserAgent(string? contact) =>
        contact is null ? $"Halftone/{ProductVersion.Value}" : $"Halftone/{ProductVersion.Value} (+{contact})";

    /// <summary>Fetches without a worker slot to release.</summary>
    public Task<FetchResult> FetchAsync(Uri url, CancellationToken cancellationToken) =>
        FetchAsync(url, null, slot: null, cancellationToken);

    /// <summary>
    /// Fetches a body. Never throws because of the URL or its host; throws <see cref="OperationCanceledException"/> when the caller stops.
    /// </summary>
    /// <param name="url">The URL of the row, unchecked.</param>
    /// <param name="known">Validators of a body received from this URL before: the answer is
    /// <see cref="FetchResult.NotModified"/> if it has not changed.</param>
    /// <param name="slot">Released while the host makes us wait, and held again on return; after a cancellation it may not be held.</param>
    /// <param name="cancellationToken">Stops the attempt.</param>
    public async Task<FetchResult> FetchAsync(Uri url, Validators? known, IWorkSlot? slot, CancellationToken cancellationToken)
    {
        var result = await FollowAsync(url, known, slot, cancellationToken);
        try
        {
            await (slot?.TakeAgainAsync(cancellationToken) ?? ValueTask.CompletedTask);
            return result;
        }
        catch (OperationCanceledException)
        {
            (result as FetchResult.Fetched)?.Body.Dispose();
            throw;
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<FetchResult> FollowAsync(Uri url, Validators? known, IWorkSlot? slot, CancellationToken cancellationToken)
    {
        if (FetchTarget.Refuse(url) is { } refused)
        {
            return FetchFailure.Failed(refused, "Not a URL that can be fetched; it must be http or https with a host.");
        }

        using var clock = new FetchClock(options, time, cancellationToken);
        var target = FetchTarget.First(url);
        var cookies = new FetchCookies();
        var asked = new HashSet<(Uri Url, string Cookies)>();
        for (var redirects = 0; ; redirects++)
        {
            // A redirect loop never ends. Nothing is requested twice, so that no URL gets more requests than there are attempts.
            if (!asked.Add((target.Url, cookies.Of(target.Url))))
            {
                return FetchFailure.Failed(FetchError.TooManyRedirects, "The redirects form a loop.");
            }

            var redirectedTo = redirects == 0 ? null : Validators.PrintOf(target.Url);
            // Another URL may use the same tag for another image.
            var outcome = await AskHostAsync(
                new Question(target, redirectedTo, known?.RedirectedTo == redirectedTo ? known : null, cookies),
                slot,
                clock);
            if (outcome.Result is not null)
            {
                return outcome.Result;
            }

            if (redirects == options.MaxRedirects)
            {
                return FetchFailure.Failed(FetchError.TooManyRedirects, $"More than {options.MaxRedirects} redirects.");
            }

            if (!target.TryFollow(outcome.Location, out var next, out var invalid))
            {
                return FetchFailure.Failed(invalid.Value, "The redirect leads to a URL that cannot be fetched.");
            }

            target = next;
        }
    }

    /// <summary>Requests one hop once it is the host's turn.</summary>
    private async ValueTask<Hop> AskHostAsync(Question question, IWorkSlot? slot, FetchClock clock)
    {
        var entry = await EnterHostAsync(question.Target.HostKey, slot, clock.Stop);
        if (entry.Outage is { } outage)
        {
            return new Hop(
                new FetchResult.Failed(
                    FetchError.HostUnavailable,
                    outage.IsYoung,
                    $"Not tried: the host could not be reached recently ({outage.Cause.Code})."));
        }

        using var lease = entry.Lease!;
        await using var slow = time.CreateTimer(
            static lease => ((HostLease)lease!).Slow(),
            lease,
            options.SlowAfter,
            Timeout.InfiniteTimeSpan);
        clock.Run();
        var hop = await PatientlyAsync(RequestAsync(question, clock), slot, clock.Stop);
        clock.Pause();
        Tell(lease, hop.Result as FetchResult.Failed);
        return hop;
    }

    private ValueTask<HostEntry> EnterHostAsync(string host, IWorkSlot? slot, CancellationToken cancellationToken) =>
        hosts.TryEnter(host, out var entry)
            ? ValueTask.FromResult(entry)
            : PatientlyAsync(hosts.EnterAsync(host, cancellationToken), slot, cancellationToken);

    /// <summary>
    /// Waits for the host while holding the slot for a moment, then without: otherwise sixty hosts that make us wait
    /// would hold up everyone else. Not without it from the start, because a host that answers does so soon, and images
    /// queued elsewhere in the meantime would all get ahead of a new request.
    /// </summary>
    private async ValueTask<T> PatientlyAsync<T>(ValueTask<T> wait, IWorkSlot? slot, CancellationToken cancellationToken)
    {
        if (slot is null || wait.IsCompleted)
        {
            return await wait;
        }

        var waiting = wait.AsTask();
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            await Task.WhenAny(waiting, Task.Delay(options.HoldPlace, time, patience.Token));
            await patience.CancelAsync();
        }

        if (!waiting.IsCompleted)
        {
            slot.GiveBack();
        }

        return await waiting;
    }

    private async ValueTask<Hop> RequestAsync(Question question, FetchClock clock)
    {
        try
        {
            using var request = question.Target.NewRequest(options.HostHeaders);
            request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
            // No image format is preferred on purpose: a host that chooses by Accept would recompress the image for
            // webp or avif, but our output must be made from the file that the URL names. */* comes last, for hosts
            // that label images as octet-stream.
            request.Headers.TryAddWithoutValidation("Accept", "image/*, */*;q=0.1");
            if (question.Cookies.Of(question.Target.Url) is { Length: > 0 } cookies)
            {
                request.Headers.TryAddWithoutValidation("Cookie", cookies);
            }

            question.Known?.AddTo(request);
            using var response = await http.SendAsync(request, clock.Token);
            return (int)response.StatusCode switch
            {
                304 when question.Known is { } known =>
                    known.AreMeantBy(response)
                        ? new Hop(new FetchResult.NotModified())
                        : await RequestAsync(question with { Known = null }, clock),
                301 or 302 or 303 or 307 or 308 => Redirected(response, question),
                // 204 and 205 have no body, 206 is usually partial, 207 and above are not files.
                (>= 200 and <= 203) or 206 when IsWhole(response) => new Hop(await ReadBodyAsync(response, question.RedirectedTo, clock)),
                _ => new Hop(FetchFailure.FromStatus(response, time.GetUtcNow(), options.MaxRetryAfter)),
            };
        }
        catch (OperationCanceledException) when (clock.Stop.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException or OperationCanceledException)
        {
            return new Hop(clock.IsExpired ? Expired(clock) : FetchFailure.From(e, clock.IsInBody));
        }
    }

    private async ValueTask<FetchResult> ReadBodyAsync(HttpResponseMessage response, string? redirectedTo, FetchClock clock)
    {
        // The handler has decoded and removed what it knows, if that was the last coding.
        var codings = response.Content.Headers.ContentEncoding.Where(IsCoding).ToArray();
        var isPacked = codings is [var coding] && IsGzip(coding);
        if (codings.Length > 0 && !isPacked)
        {
            return FetchFailure.Failed(FetchError.BadResponse, "The body has a content coding that was not requested.");
        }

        if (!TryReadStatedLength(response, out var statedLength))
        {
            return FetchFailure.Failed(FetchError.BadResponse, "The Content-Length is not a single number.");
        }

        if (statedLength > options.MaxBytes)
        {
            return TooLarge();
        }

        clock.StartBody();
        var buffer = await clock.OutsideAsync(budget.RentAsync(statedLength, clock.Stop));
        var isComplete = false;
        try
        {
            await using var sent = await response.Content.ReadAsStreamAsync(clock.Token);
            await using var stream = isPacked ? new GZipStream(sent, CompressionMode.Decompress) : sent;
            if (!await ReadToEndAsync(stream, buffer, isPacked ? null : statedLength, clock))
            {
                return TooLarge();
            }

            if (response.StatusCode == HttpStatusCode.PartialContent
                && !isPacked
                && buffer.Length != response.Content.Headers.ContentRange?.Length)
            {
                return FetchFailure.Failed(FetchError.BodyCut, "The body is shorter than its range.");
            }

            if (buffer.Length == 0)
            {
                return FetchFailure.Failed(FetchError.EmptyBody, "The body is empty.");
            }

            isComplete = true;
            return new FetchResult.Fetched(buffer.Complete(), response.RequestMessage!.RequestUri!, Validators.Of(response, redirectedTo));
        }
        finally
        {
            if (!isComplete)
            {
                buffer.Dispose();
            }
        }
    }

    /// <returns>False if the body is longer than allowed.</returns>
    private async ValueTask<bool> ReadToEndAsync(Stream stream, BodyBuffer buffer, long? statedLength, FetchClock clock)
    {
        // With a stated length the handler ends the stream there; without, one byte more than allowed must be requested.
        var end = statedLength ?? options.MaxBytes + 1L;
        while (buffer.Length < end)
        {
            if (buffer.Room.IsEmpty)
            {
                if (buffer.Length >= options.MaxBytes)
                {
                    return await stream.ReadAsync(new byte[1], clock.Token) == 0;
                }

                await clock.OutsideAsync(buffer.GrowAsync(clock.Stop));
            }

            var room = (int)Math.Min(buffer.Room.Length, end - buffer.Length);
            var read = await stream.ReadAsync(buffer.Room[..room], clock.Token);
            if (read == 0)
            {
                break;
            }

            buffer.Advance(read);
            clock.Received(read);
        }

        return buffer.Length <= options.MaxBytes;
    }

    /// <summary>
    /// The stated length of the body, if any. Chunked bodies define their own end, regardless of other headers (RFC
    /// 9112 section 6.3).
    /// </summary>
    /// <returns>False if the length is not a single number: .NET would take one of them, or read until the connection closes.</returns>
    private static bool TryReadStatedLength(HttpResponseMessage response, out long? length)
    {
        length = null;
        var headers = response.Content.Headers;
        if (response.Headers.TransferEncodingChunked == true || !headers.NonValidated.TryGetValues("Content-Length", out var written))
        {
            return true;
        }

        length = headers.ContentLength;
        return length is not null && written.Distinct().Count() == 1;
    }

    private FetchResult.Failed Expired(FetchClock clock) => clock switch
    {
        { IsTooSlow: true } =>
            FetchFailure.Failed(FetchError.TooSlow, $"The body was slower than {options.MinBytesPerSecond} bytes per second."),
        { IsInBody: true } => FetchFailure.Failed(FetchError.BodyTimedOut, $"The body did not finish within {options.AttemptTimeout}."),
        _ => FetchFailure.Failed(FetchError.HeadersTimedOut, $"The response headers did not arrive within {options.AttemptTimeout}."),
    };

    private FetchResult.Failed TooLarge() => FetchFailure.Failed(FetchError.TooLarge, $"The body is longer than {options.MaxBytes} bytes.");

    private static Hop Redirected(HttpResponseMessage response, Question question)
    {
        question.Cookies.Take(response, question.Target.Url);
        return new Hop(Result: null, LocationOf(response));
    }

    /// <summary>One Location and no more: of two, the next reader might take the other.</summary>
    private static string? LocationOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Location", out var values) && values.Count == 1
            ? RedirectLocation.Of(values.First())
            : null;

    /// <summary>A range that nobody asked for is the file where it is all of it (RFC 9110, section 15.3.7).</summary>
    private static bool IsWhole(HttpResponseMessage response) =>
        response.StatusCode != HttpStatusCode.PartialContent
        || response.Content.Headers.ContentRange is { Unit: "bytes", From: 0, To: { } last, Length: { } length } && last == length - 1;

    /// <summary>
    /// Whether a word of Content-Encoding is a coding at all. Buckets hand out what was once said of an upload: <c>aws-chunked</c>,
    /// <c>none</c>,
    /// <c>UTF-8</c>. Of such a body its own first bytes tell what it is.
    /// </summary>
    private static bool IsCoding(string word) => IsGzip(word)
        || word.Equals("deflate", StringComparison.OrdinalIgnoreCase) || word.Equals("br", StringComparison.OrdinalIgnoreCase)
        || word.Equals("zstd", StringComparison.OrdinalIgnoreCase) || word.Equals("dcb", StringComparison.OrdinalIgnoreCase)
        || word.Equals("dcz", StringComparison.OrdinalIgnoreCase) || word.Equals("compress", StringComparison.OrdinalIgnoreCase)
        || word.Equals("x-compress", StringComparison.OrdinalIgnoreCase);

    /// <summary>Two names of one coding (RFC 9110, section 8.4.1.3).</summary>
    private static bool IsGzip(string word) =>
        word.Equals("gzip", StringComparison.OrdinalIgnoreCase) || word.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);

    private static void Tell(HostLease lease, FetchResult.Failed? failed)
    {
        switch (failed?.Error)
        {
            case FetchError.NameNotResolved
                or FetchError.NameLookupFailed
                or FetchError.ConnectRefused
                or FetchError.ConnectTimedOut
                or FetchError.ConnectFailed:
                lease.Unreachable(failed.Error);
                break;
            case FetchError.HttpStatus when failed.HttpStatus is 429 or 503:
                lease.Congested();
                break;
            case FetchError.HeadersTimedOut or FetchError.BodyTimedOut or FetchError.TooSlow:
                lease.TimedOut();
                break;
            case FetchError.AddressForbidden or FetchError.PortForbidden or FetchError.TlsTimedOut:
                break; // says nothing about how much the host can take
            default:
                lease.Answered();
                break;
        }
    }

    /// <summary>A hop to make.</summary>
    /// <param name="Target">The URL to request.</param>
    /// <param name="RedirectedTo">The hash of its URL; null for the first hop.</param>
    /// <param name="Known">Validators that exactly this URL sent for an earlier body.</param>
    /// <param name="Cookies">The cookies of this fetch.</param>
    private readonly record struct Question(FetchTarget Target, string? RedirectedTo, Validators? Known, FetchCookies Cookies);

    /// <summary>An outcome, or the next hop.</summary>
    private readonly record struct Hop(FetchResult? Result, string? Location = null);
}
