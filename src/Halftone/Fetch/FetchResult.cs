using Halftone.Model;

namespace Halftone.Fetch;

/// <summary>The outcome of one attempt at one URL.</summary>
internal abstract record FetchResult
{
    private FetchResult() { }                     // closed: the cases below are all there are

    /// <summary>The complete body. Dispose it as soon as it is compressed, because others wait for its memory.</summary>
    /// <param name="Body">1 to <see cref="FetchOptions.MaxBytes"/> bytes, content coding removed.</param>
    /// <param name="FinalUrl">The URL of the body after redirects, without credentials.</param>
    /// <param name="Validators">The validators that its host sent; null if there are none that can be used.</param>
    public sealed record Fetched(FetchedBody Body, Uri FinalUrl, Validators? Validators) : FetchResult;

    /// <summary>No body, because the known one has not changed.</summary>
    public sealed record NotModified : FetchResult;

    /// <summary>No body.</summary>
    /// <param name="Error">Stage and cause; customers see only this and <paramref name="HttpStatus"/>.</param>
    /// <param name="Retryable">True if the same URL may work later.</param>
    /// <param name="Detail">For operators; our own words, never anything that a server sent.</param>
    /// <param name="HttpStatus">The status with <see cref="FetchError.HttpStatus"/>, otherwise null.</param>
    /// <param name="RetryAfter">The wait that the host asked for, 0 to <see cref="FetchOptions.MaxRetryAfter"/>; null
    /// if it did not.</param>
    public sealed record Failed(
        FetchError Error,
        bool Retryable,
        string Detail,
        int? HttpStatus = null,
        TimeSpan? RetryAfter = null) : FetchResult;
}
