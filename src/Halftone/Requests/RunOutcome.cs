using Halftone.Model;

namespace Halftone.Requests;

/// <summary>The outcome of one image in one run.</summary>
internal abstract record RunOutcome
{
    private RunOutcome() { }

    public required Guid RequestId { get; init; }

    public required int Run { get; init; }

    public required long ImageId { get; init; }

    /// <summary>A complete, stored output.</summary>
    public sealed record Completed : RunOutcome
    {
        public required string ObjectKey { get; init; }
        public required long BytesIn { get; init; }
        public required long BytesOut { get; init; }
        public required bool KeptOriginal { get; init; }
        public required int Width { get; init; }
        public required int Height { get; init; }
        public required string ContentHash { get; init; }

        /// <summary>In the order of the upload.</summary>
        public IReadOnlyList<StoredVariant> Variants { get; init; } = [];

        public required long FetchMs { get; init; }
        public required long CompressMs { get; init; }
        public required long StoreMs { get; init; }

        /// <summary>True if the output is a copy of an earlier request's.</summary>
        public bool Reused { get; init; }

        /// <summary>The keys by which <see cref="EarlierOutputs"/> finds it later; null if it must not be found.</summary>
        public string? UrlKey { get; init; }
        public string? SourceKey { get; init; }

        /// <summary>The host's validators of the source.</summary>
        public Validators? Validators { get; init; }
    }

    /// <summary>Final: this run will not try again.</summary>
    public sealed record Failed : RunOutcome
    {
        public required string ErrorCode { get; init; }
        public int? HttpStatus { get; init; }
        public required string Host { get; init; }
    }

    /// <summary>Failed for now; retried at <see cref="NextAttemptAt"/>.</summary>
    public sealed record Postponed : RunOutcome
    {
        /// <summary>The attempt of the message: a duplicate message finds another number in the row and uses none up.</summary>
        public required int Attempt { get; init; }
        public required DateTimeOffset NextAttemptAt { get; init; }
        public required string ErrorCode { get; init; }
        public int? HttpStatus { get; init; }
    }
}
