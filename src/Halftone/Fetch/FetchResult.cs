using Halftone.Model;

namespace Halftone.Fetch;

/// <summary>What came of one attempt at one URL.</summary>
internal abstract record FetchResult
{
    private FetchResult() { }                     // closed: the cases below are all there are

    /// <summary>The whole body. Dispose it as soon as it is compressed: others wait for its bytes.</summary>
    /// <param name="Body">1 to <see cref="FetchOptions.MaxBytes"/> bytes, content coding undone.</param>
    /// <param name="FinalUrl">Where the body came from, after redirects; without credentials.</param>
    /// <param name="Validators">What its host says of it; null where that is nothing of use.</param>
    public sealed record Fetched(FetchedBody Body, Uri FinalUrl, Validators? Validators) : FetchResult;

    /// <summary>No body, because the one that was known has not changed.</summary>
    public sealed record NotModified : FetchResult;

    /// <summary>No body.</summary>
    /// <param name="Error">Stage and cause; this and <paramref name="HttpStatus"/> are all that customers see.</param>
    /// <param name="Retryable">True where the same URL may work later.</param>
    /// <param name="Detail">For operators; our own words, never anything that a server sent.</param>
    /// <param name="HttpStatus">The status with <see cref="FetchError.HttpStatus"/>, else null.</param>
    /// <param name="RetryAfter">How long the host asked to wait, 0 to <see cref="FetchOptions.MaxRetryAfter"/>; null where it did not.</param>
    public sealed record Failed(FetchError Error, bool Retryable, string Detail, int? HttpStatus = null, TimeSpan? RetryAfter = null) : FetchResult;
}
