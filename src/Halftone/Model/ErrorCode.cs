using System.Text.Json;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>
/// The closed list of codes for failed images, stage × cause: those of <see cref="FetchError"/> and
/// <see cref="CodecError"/> in snake_case, and a few that belong to no stage.
/// </summary>
internal static class ErrorCode
{
    /// <summary>The message was delivered up to the limit and never finished.</summary>
    public const string WorkerCrashed = "worker_crashed";

    /// <summary>The store answers, but refuses the output.</summary>
    public const string StoreRefused = "store_refused";

    private static readonly Dictionary<CodecError, string> Compress = Enum.GetValues<CodecError>().ToDictionary(
        e => e,
        e => JsonNamingPolicy.SnakeCaseLower.ConvertName(e.ToString()));

    public static string Of(FetchError error) => error.Code;

    public static string Of(CodecError error) => Compress[error];
}
