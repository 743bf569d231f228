using System.Text.Json;
using Halftone.Codec;

namespace Halftone.Model;

/// <summary>
/// The closed list of words for why an image failed, stage × cause: those of <see cref="FetchError"/> and <see cref="CodecError"/>
/// in snake_case, and the few that no stage can say of itself.
/// </summary>
internal static class ErrorCode
{
    /// <summary>The message was handed out up to the delivery limit and never came to an end.</summary>
    public const string WorkerCrashed = "worker_crashed";

    /// <summary>The store answers, and will not take the output.</summary>
    public const string StoreRefused = "store_refused";

    private static readonly Dictionary<CodecError, string> Compress = Enum.GetValues<CodecError>().ToDictionary(e => e, e => JsonNamingPolicy.SnakeCaseLower.ConvertName(e.ToString()));

    public static string Of(FetchError error) => error.Code;

    public static string Of(CodecError error) => Compress[error];
}
